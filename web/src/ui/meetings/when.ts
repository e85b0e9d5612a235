/** When something will be, in words: today and tomorrow by their names, the time in the reader's own zone. Pure. */

import { type Language, translate } from '../../i18n/catalogue.ts';

export interface Span {
  readonly startsAt: number;
  readonly endsAt: number;
  /** In which it was planned. */
  readonly zone: string;
}

/** "Today, 19:30 – 20:30", and what the clock shows where it was planned, if that is something else. */
export function spanInWords(language: Language, span: Span, now: number, own: string): string {
  const { startsAt, endsAt, zone } = span;
  const ends = dayOf(startsAt, own) === dayOf(endsAt, own) ? '' : `${dayInWords(language, endsAt, now, own)}, `;
  const times = `${clock(language, startsAt, own)} – ${ends}${clock(language, endsAt, own)}`;
  const words = `${dayInWords(language, startsAt, now, own)}, ${times}`;
  const there = clock(language, startsAt, zone);
  if (there === clock(language, startsAt, own) && dayOf(startsAt, zone) === dayOf(startsAt, own)) return words;
  const place = zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone;
  return `${words} (${translate(language, 'meetings.elsewhere', { time: there, zone: place })})`;
}

/** With its whole date and the zone's name: for those who read it elsewhere and at some other time. */
export function spanInFull(language: Language, { startsAt, endsAt, zone }: Span): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'short', timeZone: zone });
  return `${format.formatRange(startsAt, endsAt)} (${zone})`;
}

export function clock(language: Language, at: number, zone: string): string {
  return new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: zone,
  }).format(at);
}

function dayInWords(language: Language, at: number, now: number, zone: string): string {
  const day = dayOf(at, zone);
  if (day === dayOf(now, zone)) return translate(language, 'meetings.today');
  // Noon of today and a day: tomorrow, however long today is.
  const noon = Date.parse(`${dayOf(now, zone)}T12:00:00Z`);
  if (day === new Date(noon + 86_400_000).toISOString().slice(0, 10)) return translate(language, 'meetings.tomorrow');
  const far = Math.abs(at - now) > 180 * 86_400_000;
  const year = far ? ({ year: 'numeric' } as const) : {};
  return new Intl.DateTimeFormat(language, {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    ...year,
    timeZone: zone,
  }).format(at);
}

/** `2026-11-26`. */
function dayOf(at: number, zone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return format.format(at);
}
