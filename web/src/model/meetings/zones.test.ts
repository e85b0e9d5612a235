import { describe, expect, it } from 'vitest';
import { allZones, localTimeOf, momentOf, offsetAt } from './zones.ts';

describe('a local time', () => {
  it.each([
    ['in winter', '2026-11-26', '19:30', 'Europe/Berlin', '2026-11-26T18:30:00Z'],
    ['in summer', '2026-07-31', '23:30', 'Europe/Berlin', '2026-07-31T21:30:00Z'],
    ['just before the gap', '2027-03-28', '01:59', 'Europe/Berlin', '2027-03-28T00:59:00Z'],
    ['in the gap: 02:30 is 03:30', '2027-03-28', '02:30', 'Europe/Berlin', '2027-03-28T01:30:00Z'],
    ['just after the gap', '2027-03-28', '03:00', 'Europe/Berlin', '2027-03-28T01:00:00Z'],
    ['shown twice: the first time', '2026-10-25', '02:30', 'Europe/Berlin', '2026-10-25T00:30:00Z'],
    ['after it was shown twice', '2026-10-25', '03:00', 'Europe/Berlin', '2026-10-25T02:00:00Z'],
    ['in a gap at midnight', '2027-03-14', '02:15', 'America/New_York', '2027-03-14T07:15:00Z'],
    ['a gap of half an hour', '2026-10-04', '02:10', 'Australia/Lord_Howe', '2026-10-03T15:40:00Z'],
    ['far ahead of UTC', '2026-01-01', '00:00', 'Pacific/Kiritimati', '2025-12-31T10:00:00Z'],
    ['a quarter of an hour', '2027-03-01', '05:45', 'Asia/Kathmandu', '2027-03-01T00:00:00Z'],
    ['without a zone', '2026-11-26', '19:30', 'UTC', '2026-11-26T19:30:00Z'],
  ])('%s', (_, date, time, zone, expected) => {
    expect(new Date(momentOf({ date, time }, zone) ?? 0).toISOString()).toBe(expected.replace('Z', '.000Z'));
  });

  it.each([
    ['', '10:00'],
    ['2026-02-30x', '10:00'],
    ['2026-01-01', ''],
    ['2026-01-01', '25:00'],
  ])('%s %s is none', (date, time) => {
    expect(momentOf({ date, time }, 'UTC')).toBeUndefined();
  });

  it('comes back from its moment', () => {
    const moment = Date.parse('2026-11-26T18:30:00Z');
    expect(localTimeOf(moment, 'Europe/Berlin')).toEqual({ date: '2026-11-26', time: '19:30' });
    expect(localTimeOf(moment, 'Asia/Tokyo')).toEqual({ date: '2026-11-27', time: '03:30' });
    expect(offsetAt(moment, 'America/New_York')).toBe(-5 * 3_600_000);
  });

  it('is chosen among all zones, the own one with them', () => {
    expect(allZones('Europe/Berlin')).toContain('Europe/Berlin');
    expect(allZones('Etc/Unheard_Of')[0]).toBe('Etc/Unheard_Of');
  });
});
