/** English: calls while the app is closed. What a notification says stands with the worker (`pwa/push/words.ts`). */
export const enPush = {
  'policy.push': 'Calls also when the app is closed',
  'policy.push_hint':
    'Whoever wants that is notified of calls by the browser. It goes through the push services of the browsers’ makers (Google, Mozilla, Apple, Microsoft). They learn that something came from this house for this browser, and when. What it says is encrypted: no names, no contents.',
} as const;
