/** What notifications say that are shown while no page of the app is open. A catalogue of its own: the app's is far larger. */

import type { Language } from '../../protocol/generated.ts';

const de = {
  call: 'Anruf',
  video_call: 'Videoanruf',
  into: 'Raum: {room}',
  accept: 'Annehmen',
  decline: 'Ablehnen',
  missed: 'Verpasster Anruf von {name}',
  call_back: 'Zurückrufen',
  answered: 'Auf einem anderen Gerät angenommen',
  declined: 'Auf einem anderen Gerät abgelehnt',
};

const en: Record<keyof typeof de, string> = {
  call: 'Call',
  video_call: 'Video call',
  into: 'Room: {room}',
  accept: 'Accept',
  decline: 'Decline',
  missed: 'Missed call from {name}',
  call_back: 'Call back',
  answered: 'Accepted on another device',
  declined: 'Declined on another device',
};

export type Word = keyof typeof de;

export function words(language: Language): (word: Word, values?: Readonly<Record<string, string>>) => string {
  const texts = language === 'de' ? de : en;
  return (word, values = {}) => texts[word].replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}
