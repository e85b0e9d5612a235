/** Deutsch: planning meetings and inviting. */
import type { Texts } from './catalogue.ts';
import type { enMeetings } from './en_meetings.ts';

export const deMeetings: Texts<typeof enMeetings> = {
  'code.time_invalid': 'Zu dieser Zeit geht es nicht: Sie ist vorbei, zu lang oder zu weit in der Zukunft.',
};
