/**
 * What the numbers of a connection mean, as findings that can be said in words: causes first, then what came of them.
 * The same rules for a whole stay and for the moment. Claims no more than is known: which network only if the browser told
 * it, and one's own line only if the others of the meeting did not lose packets as well. Pure.
 */

import type { ConnectionSummary, QualityReport, Strain } from '../../protocol/generated.ts';

/** Whose line it was, as far as one can say. */
export type Line = 'wifi' | 'cellular' | 'own' | 'server';

export type Finding =
  | { readonly kind: 'good' }
  /** Too short, or nothing was measured. */
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'loss';
      readonly line: Line;
      /** `up`: what one sent. `down`: what one was to get. */
      readonly way: 'both' | 'up' | 'down';
      readonly percent: number;
      readonly seconds: number;
    }
  | { readonly kind: 'restarts'; readonly count: number }
  | { readonly kind: 'slow'; readonly ms: number; readonly seconds: number }
  /** The line was too thin: for one's own picture, for those of others. */
  | { readonly kind: 'narrow_up' | 'narrow_down'; readonly seconds: number }
  | { readonly kind: 'busy'; readonly seconds: number }
  | { readonly kind: 'choppy'; readonly percent: number; readonly seconds: number }
  | { readonly kind: 'frozen'; readonly seconds: number }
  | { readonly kind: 'device_denied' | 'device_not_found' | 'device_in_use' | 'device_lost' };

/** The others of the same meeting. */
export interface Others {
  readonly others: number;
  readonly others_losing: number;
}

/** Shorter than this is noticed and forgotten. */
const LEAST_SECONDS = 30;
const LEAST_SHARE = 0.1;
const LEAST_OF_SHORT = 5;
const LEAST_MEASURED = 10;
/** From here on the moment is bad; as the server counts it. */
const BAD_LOSS = 30;
const BAD_RTT_MS = 400;
const BAD_CONCEALED = 30;

export function findings(summary: ConnectionSummary, others?: Others): readonly Finding[] {
  const all = [...causes(summary, others), ...effects(summary), ...devices(summary)];
  if (all.length > 0) return all;
  return [{ kind: summary.seconds >= LEAST_MEASURED ? 'good' : 'unknown' }];
}

/** The last seconds, as if they were a stay. `paused`: the line has no room for a picture that should be seen. */
export function moment(report: QualityReport, paused: boolean): ConnectionSummary {
  const seconds = LEAST_MEASURED;
  const strain = (mean: number, badFrom: number): Strain =>
    mean >= badFrom ? { mean, bad_seconds: seconds, bad_mean: mean } : { mean, bad_seconds: 0, bad_mean: 0 };
  const { rtt_ms, loss_up, loss_down, concealed, jitter_ms, fps, problems, network, browser } = report;
  return {
    seconds,
    troubled_seconds: 0,
    ...(rtt_ms === undefined ? {} : { rtt_ms: strain(rtt_ms, BAD_RTT_MS) }),
    ...(loss_up === undefined ? {} : { loss_up: strain(loss_up, BAD_LOSS) }),
    ...(loss_down === undefined ? {} : { loss_down: strain(loss_down, BAD_LOSS) }),
    ...(concealed === undefined ? {} : { concealed: strain(concealed, BAD_CONCEALED) }),
    ...(jitter_ms === undefined ? {} : { jitter_ms }),
    ...(fps === undefined ? {} : { fps }),
    freezes: report.freezes,
    frozen_ms: report.frozen_ms,
    cpu_seconds: Math.round(report.limited_cpu_ms / 1_000),
    narrow_up_seconds: Math.round(report.limited_bandwidth_ms / 1_000),
    narrow_down_seconds: paused ? seconds : 0,
    layer_changes: 0,
    restarts: report.restarts,
    ...(problems ? { problems } : {}),
    ...(network ? { networks: [network] } : {}),
    ...(browser ? { browser } : {}),
  };
}

function causes(summary: ConnectionSummary, others: Others | undefined): Finding[] {
  const { restarts, rtt_ms, seconds, cpu_seconds, narrow_up_seconds, narrow_down_seconds } = summary;
  const lost = loss(summary, others);
  return [
    ...(lost ? [lost] : []),
    ...(restarts > 0 ? [{ kind: 'restarts', count: restarts } as const] : []),
    ...(rtt_ms && lasted(rtt_ms.bad_seconds, seconds)
      ? [{ kind: 'slow', ms: rtt_ms.bad_mean, seconds: rtt_ms.bad_seconds } as const]
      : []),
    ...(lasted(narrow_down_seconds, seconds) ? [{ kind: 'narrow_down', seconds: narrow_down_seconds } as const] : []),
    ...(lasted(narrow_up_seconds, seconds) ? [{ kind: 'narrow_up', seconds: narrow_up_seconds } as const] : []),
    ...(lasted(cpu_seconds, seconds) ? [{ kind: 'busy', seconds: cpu_seconds } as const] : []),
  ];
}

function loss(summary: ConnectionSummary, others: Others | undefined): Finding | undefined {
  const { loss_up, loss_down, seconds } = summary;
  const up = loss_up && lasted(loss_up.bad_seconds, seconds) ? loss_up : undefined;
  const down = loss_down && lasted(loss_down.bad_seconds, seconds) ? loss_down : undefined;
  const worst = (up?.bad_mean ?? 0) >= (down?.bad_mean ?? 0) ? (up ?? down) : down;
  if (!worst) return undefined;
  return {
    kind: 'loss',
    line: lineOf(summary, others),
    way: up && down ? 'both' : up ? 'up' : 'down',
    percent: Math.max(1, Math.round(worst.bad_mean / 10)),
    seconds: worst.bad_seconds,
  };
}

/** If most of the others lost packets too, it was not one's own line. */
function lineOf({ networks }: ConnectionSummary, others: Others | undefined): Line {
  if (others && others.others > 0 && others.others_losing * 2 > others.others) return 'server';
  const [only, ...more] = networks ?? [];
  return more.length === 0 && (only === 'wifi' || only === 'cellular') ? only : 'own';
}

function effects({ concealed, frozen_ms, seconds }: ConnectionSummary): Finding[] {
  const frozen = Math.round(frozen_ms / 1_000);
  return [
    ...(concealed && lasted(concealed.bad_seconds, seconds)
      ? [
          {
            kind: 'choppy',
            percent: Math.max(1, Math.round(concealed.bad_mean / 10)),
            seconds: concealed.bad_seconds,
          } as const,
        ]
      : []),
    ...(lasted(frozen, seconds) ? [{ kind: 'frozen', seconds: frozen } as const] : []),
  ];
}

function devices({ problems = [] }: ConnectionSummary): Finding[] {
  const said = ['denied', 'not_found', 'in_use', 'lost'] as const;
  return said.filter((one) => problems.includes(one)).map((one) => ({ kind: `device_${one}` }) as const);
}

function lasted(bad: number, of: number): boolean {
  return bad >= LEAST_SECONDS || (bad >= LEAST_OF_SHORT && bad >= of * LEAST_SHARE);
}

/** Which of the records belong to a line of the history: the stay began with the ringing or while the line lasted. */
export function recordsOf<T extends { readonly started_ms: number }>(
  line: { readonly startedAt: number; readonly durationMs?: number },
  records: readonly T[],
): readonly T[] {
  if (line.durationMs === undefined) return [];
  const [from, until] = [line.startedAt - 5_000, line.startedAt + line.durationMs + 60_000];
  return records.filter(({ started_ms }) => started_ms >= from && started_ms <= until);
}

/** The worst one says how it was. */
export function worstOf<T extends { readonly summary: ConnectionSummary }>(records: readonly T[]): T | undefined {
  const [first, ...more] = records;
  return more.reduce<T | undefined>(
    (worst, one) =>
      one.summary.troubled_seconds > (worst?.summary.troubled_seconds ?? 0) ||
      (worst?.summary.seconds === 0 && one.summary.seconds > 0)
        ? one
        : worst,
    first,
  );
}
