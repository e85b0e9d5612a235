/** Deutsch: Anrufe, während die App geschlossen ist. Was in einer Mitteilung steht, liegt beim Worker (`pwa/push/words.ts`). */
import type { Texts } from './catalogue.ts';
import type { enPush } from './en_push.ts';

export const dePush: Texts<typeof enPush> = {
  'policy.push': 'Anrufe auch bei geschlossener App',
  'policy.push_hint':
    'Wer das möchte, bekommt Anrufe vom Browser gemeldet. Das läuft über die Push-Dienste der Browser-Hersteller (Google, Mozilla, Apple, Microsoft). Sie erfahren, dass und wann von diesem Haus etwas für diesen Browser kam. Der Inhalt ist verschlüsselt: keine Namen, keine Inhalte.',
};
