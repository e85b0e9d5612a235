/** English: calls while the app is closed. What a notification says stands with the worker (`pwa/push/words.ts`). */
export const enPush = {
  'policy.push': 'Calls also when the app is closed',
  'policy.push_hint':
    'Whoever wants that is notified of calls by the browser. It goes through the push services of the browsers’ makers (Google, Mozilla, Apple, Microsoft). They learn that something came from this house for this browser, and when. What it says is encrypted: no names, no contents.',

  'push.switch': 'Calls also when the app is closed',
  'push.hint':
    'When somebody calls you, this device shows it even if no page of Stube is open. Afterwards your browser asks whether notifications are allowed. The message goes through the push service of its maker, which learns that something came, but not from whom or what. It works while you are signed in here.',
  'push.denied':
    'Your browser does not allow notifications of this page. Allow them in its settings for this page (the symbol beside the address, “Permissions” or “Site settings”), then come back here.',
  'push.unsupported': 'This browser cannot be notified while Stube is closed.',
  'push.install_first':
    'On iPhone and iPad this works in the installed app: tap Share, then “Add to Home Screen”, and turn it on there.',
  'push.failed': 'The push service of your browser does not answer. Please try again later.',
  'push.dismissed': 'The browser was not given permission. You can try again any time.',
  'push.bar':
    'Should this device also notify you of calls when Stube is closed? It goes, encrypted, through the push service of your browser.',
  'push.bar_yes': 'Notify me',
  'push.bar_no': 'No, thanks',
} as const;
