/** Deutsch: Anrufe, während die App geschlossen ist. Was in einer Mitteilung steht, liegt beim Worker (`pwa/push/words.ts`). */
import type { Texts } from './catalogue.ts';
import type { enPush } from './en_push.ts';

export const dePush: Texts<typeof enPush> = {
  'policy.push': 'Anrufe auch bei geschlossener App',
  'policy.push_hint':
    'Wer das möchte, bekommt Anrufe vom Browser gemeldet. Das läuft über die Push-Dienste der Browser-Hersteller (Google, Mozilla, Apple, Microsoft). Sie erfahren, dass und wann von diesem Haus etwas für diesen Browser kam. Der Inhalt ist verschlüsselt: keine Namen, keine Inhalte.',

  'push.switch': 'Anrufe auch bei geschlossener App',
  'push.hint':
    'Wenn Sie jemand anruft, zeigt dieses Gerät das auch dann, wenn keine Seite von Stube offen ist. Danach fragt Ihr Browser, ob Benachrichtigungen erlaubt sind. Die Nachricht läuft über den Push-Dienst seines Herstellers: Er erfährt, dass etwas kam, aber nicht von wem und was. Es gilt, solange Sie hier angemeldet sind.',
  'push.denied':
    'Ihr Browser erlaubt dieser Seite keine Benachrichtigungen. Erlauben Sie sie in seinen Einstellungen für diese Seite (das Symbol neben der Adresse, „Berechtigungen“ oder „Website-Einstellungen“) und kommen Sie dann hierher zurück.',
  'push.unsupported': 'Dieser Browser kann nichts melden, während Stube geschlossen ist.',
  'push.install_first':
    'Auf iPhone und iPad geht das in der installierten App: Tippen Sie auf „Teilen“, dann „Zum Home-Bildschirm“, und schalten Sie es dort ein.',
  'push.failed': 'Der Push-Dienst Ihres Browsers antwortet nicht. Bitte versuchen Sie es später noch einmal.',
  'push.dismissed': 'Der Browser hat die Erlaubnis nicht bekommen. Sie können es jederzeit noch einmal versuchen.',
  'push.bar':
    'Soll dieses Gerät Anrufe auch melden, wenn Stube geschlossen ist? Das läuft verschlüsselt über den Push-Dienst Ihres Browsers.',
  'push.bar_yes': 'Melden',
  'push.bar_no': 'Nein, danke',
};
