import { describe, expect, it } from 'vitest';
import { spanInFull, spanInWords } from './when.ts';

const at = (text: string): number => Date.parse(text);
const NOW = at('2026-11-26T12:00:00Z');
const BERLIN = 'Europe/Berlin';

describe('a meeting is told', () => {
  it.each([
    ['today', '2026-11-26T18:30:00Z', '2026-11-26T19:30:00Z', BERLIN, 'Heute, 19:30 – 20:30', 'Today, 19:30 – 20:30'],
    [
      'tomorrow',
      '2026-11-27T09:00:00Z',
      '2026-11-27T09:30:00Z',
      BERLIN,
      'Morgen, 10:00 – 10:30',
      'Tomorrow, 10:00 – 10:30',
    ],
    [
      'over midnight',
      '2026-11-26T22:30:00Z',
      '2026-11-26T23:30:00Z',
      BERLIN,
      'Heute, 23:30 – Morgen, 00:30',
      'Today, 23:30 – Tomorrow, 00:30',
    ],
    [
      'on another day',
      '2026-12-01T09:00:00Z',
      '2026-12-01T10:00:00Z',
      BERLIN,
      'Di., 1. Dezember, 10:00 – 11:00',
      'Tue, December 1, 10:00 – 11:00',
    ],
    [
      'with the clock of where it was planned',
      '2026-11-26T18:30:00Z',
      '2026-11-26T19:30:00Z',
      'America/New_York',
      'Heute, 19:30 – 20:30 (13:30 in New York)',
      'Today, 19:30 – 20:30 (13:30 in New York)',
    ],
    [
      'without it where clocks show the same',
      '2026-11-26T18:30:00Z',
      '2026-11-26T19:30:00Z',
      'Europe/Paris',
      'Heute, 19:30 – 20:30',
      'Today, 19:30 – 20:30',
    ],
  ])('%s', (_, starts, ends, zone, german, english) => {
    const span = { startsAt: at(starts), endsAt: at(ends), zone };
    expect(spanInWords('de', span, NOW, BERLIN)).toBe(german);
    expect(spanInWords('en', span, NOW, BERLIN)).toBe(english);
  });

  it('in full to those who read it elsewhere', () => {
    const span = { startsAt: at('2026-11-26T18:30:00Z'), endsAt: at('2026-11-26T19:30:00Z'), zone: BERLIN };
    expect(spanInFull('de', span)).toMatch(/^Donnerstag, 26\. November 2026.*19:30.*20:30.*\(Europe\/Berlin\)$/u);
  });
});
