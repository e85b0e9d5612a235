/** Times of day in time zones, and back. Pure but for what the browser knows of time zones. */

export interface LocalTime {
  /** `2026-11-26`, as `<input type="date">` has it. */
  readonly date: string;
  /** `19:30`. */
  readonly time: string;
}

const DAY_MS = 86_400_000;

/**
 * The moment of a local time, undefined for what is none. What the clock shows twice means the first time; what it skips
 * means as much later as it skips, as clocks that nobody has put forward show it.
 */
export function momentOf({ date, time }: LocalTime, zone: string): number | undefined {
  const wanted = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(wanted)) return undefined;
  const before = wanted - offsetAt(wanted - DAY_MS, zone);
  const after = wanted - offsetAt(wanted + DAY_MS, zone);
  const right = [before, after].filter((moment) => moment + offsetAt(moment, zone) === wanted);
  return right.length > 0 ? Math.min(...right) : before;
}

export function localTimeOf(moment: number, zone: string): LocalTime {
  const local = new Date(moment + offsetAt(moment, zone)).toISOString();
  return { date: local.slice(0, 10), time: local.slice(11, 16) };
}

/** How far clocks there are ahead of UTC at this moment, in milliseconds. */
export function offsetAt(moment: number, zone: string): number {
  const parts = new Map(
    formatter(zone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return local - Math.floor(moment / 1_000) * 1_000;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}

export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** All that this browser knows, with `first` among them. */
export function allZones(first: string): readonly string[] {
  const known = 'supportedValuesOf' in Intl ? Intl.supportedValuesOf('timeZone') : [];
  return known.includes(first) ? known : [first, ...known];
}
