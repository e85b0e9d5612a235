import { describe, expect, it } from 'vitest';
import type { ConnectionSummary, QualityReport } from '../../protocol/generated.ts';
import { findings, moment, type Others, recordsOf, worstOf } from './findings.ts';

const GOOD: ConnectionSummary = {
  seconds: 600,
  troubled_seconds: 0,
  freezes: 0,
  frozen_ms: 0,
  cpu_seconds: 0,
  narrow_up_seconds: 0,
  narrow_down_seconds: 0,
  layer_changes: 3,
  restarts: 0,
};
const bad = (bad_mean: number, bad_seconds = 120) => ({ mean: 5, bad_seconds, bad_mean });

/** A finding in a few letters. */
function said(summary: Partial<ConnectionSummary>, others?: Others): string {
  return findings({ ...GOOD, ...summary }, others)
    .map((finding) => {
      switch (finding.kind) {
        case 'loss':
          return `${finding.line} lost ${finding.percent} % ${finding.way}, ${finding.seconds} s`;
        case 'slow':
          return `slow ${finding.ms} ms`;
        case 'restarts':
          return `restarts ${finding.count}`;
        default:
          return 'seconds' in finding ? `${finding.kind} ${finding.seconds} s` : finding.kind;
      }
    })
    .join('; ');
}

describe('what is to be said of a stay', () => {
  const table: [string, Partial<ConnectionSummary>, string, Others?][] = [
    ['nothing wrong', {}, 'good'],
    ['nothing measured', { seconds: 0 }, 'unknown'],
    ['a little loss', { loss_up: { mean: 20, bad_seconds: 0, bad_mean: 0 } }, 'good'],
    ['a bad moment', { loss_up: bad(200, 20) }, 'good'],
    ['a bad moment in a short stay', { seconds: 60, loss_up: bad(200, 10) }, 'own lost 20 % up, 10 s'],
    [
      'loss both ways on Wi-Fi',
      { loss_up: bad(60), loss_down: bad(80), networks: ['wifi'] },
      'wifi lost 8 % both, 120 s',
    ],
    ['loss down, network unknown', { loss_down: bad(80) }, 'own lost 8 % down, 120 s'],
    ['loss by cable', { loss_up: bad(80), networks: ['ethernet'] }, 'own lost 8 % up, 120 s'],
    ['loss on a phone', { loss_up: bad(80), networks: ['cellular'] }, 'cellular lost 8 % up, 120 s'],
    ['more than one network', { loss_up: bad(80), networks: ['wifi', 'cellular'] }, 'own lost 8 % up, 120 s'],
    [
      'most others lost as well',
      { loss_up: bad(80), networks: ['wifi'] },
      'server lost 8 % up, 120 s',
      { others: 3, others_losing: 2 },
    ],
    [
      'half of the others did not',
      { loss_up: bad(80), networks: ['wifi'] },
      'wifi lost 8 % up, 120 s',
      { others: 2, others_losing: 1 },
    ],
    ['nobody else was there', { loss_up: bad(80) }, 'own lost 8 % up, 120 s', { others: 0, others_losing: 0 }],
    ['long ways', { rtt_ms: bad(640) }, 'slow 640 ms'],
    ['two seconds of a short stay', { seconds: 20, frozen_ms: 2_000 }, 'good'],
    ['a thin line', { narrow_up_seconds: 60, narrow_down_seconds: 40 }, 'narrow_down 40 s; narrow_up 60 s'],
    ['a busy device', { cpu_seconds: 300, frozen_ms: 90_000 }, 'busy 300 s; frozen 90 s'],
    ['a break', { restarts: 2, concealed: bad(50) }, 'restarts 2; choppy 120 s'],
    ['devices', { problems: ['denied', 'other', 'lost'] }, 'device_denied; device_lost'],
  ];
  it.each(table)('%s', (_what, summary, words, others) => {
    expect(said(summary, others)).toBe(words);
  });
});

describe('the moment', () => {
  const NOW: QualityReport = { freezes: 0, frozen_ms: 0, limited_cpu_ms: 0, limited_bandwidth_ms: 0, restarts: 0 };
  const table: [string, Partial<QualityReport>, string][] = [
    ['all is well', { rtt_ms: 40, loss_up: 0, loss_down: 2 }, 'good'],
    ['loss', { loss_up: 80, network: 'wifi' }, 'wifi lost 8 % up, 10 s'],
    ['a thin line', { limited_bandwidth_ms: 9_800 }, 'narrow_up 10 s'],
    ['a busy device', { limited_cpu_ms: 6_000 }, 'busy 6 s'],
    ['gaps in the sound', { concealed: 60 }, 'choppy 10 s'],
  ];
  it.each(table)('%s', (_what, report, words) => {
    expect(said(moment({ ...NOW, ...report }, false))).toBe(words);
  });

  it('is too thin for pictures while one pauses', () => {
    expect(said(moment({ ...NOW, loss_down: 2 }, true))).toBe('narrow_down 10 s');
  });
});

describe('the records of a line of the history', () => {
  it('began with it or while it lasted', () => {
    const records = [900, 5_900, 70_000, 200_000].map((started_ms) => ({ started_ms }));
    const line = { startedAt: 6_000, durationMs: 10_000 };
    expect(recordsOf(line, records).map((one) => one.started_ms)).toEqual([5_900, 70_000]);
    expect(recordsOf({ startedAt: 6_000 }, records)).toEqual([]);
  });

  it('are told by the worst of them', () => {
    const of = (seconds: number, troubled_seconds: number) => ({ summary: { ...GOOD, seconds, troubled_seconds } });
    const [empty, good, worse] = [of(0, 0), of(60, 0), of(20, 10)];
    expect(worstOf([empty, good])).toBe(good);
    expect(worstOf([good, worse, empty])).toBe(worse);
    expect(worstOf([])).toBeUndefined();
  });
});
