import { describe, expect, it } from 'vitest';
import type { QualityReport } from '../protocol/generated.ts';
import { QualityReporter } from './report.ts';
import { readSample, type Sample, type SampleListener } from './stats.ts';

const PLACES = {
  connection: 'c-1',
  source: (mid: string) => ({ '0': 'microphone', '1': 'camera' })[mid] as 'microphone' | 'camera' | undefined,
  slot: (mid: string | undefined) => (mid === '8' || mid === '9' ? 0 : undefined),
};

/** What a browser says after so many seconds of a call, all even but for what is changed. */
function sample(
  second: number,
  changed: { loss?: number; cpu?: boolean; thin?: boolean; lost?: number; connection?: string; tcp?: boolean } = {},
): Sample {
  const lost = changed.lost ?? 0;
  const entries = [
    {
      id: 'pair',
      type: 'candidate-pair',
      state: 'succeeded',
      localCandidateId: 'local',
      currentRoundTripTime: 0.04,
      bytesReceived: 1,
    },
    { id: 'local', type: 'local-candidate', protocol: changed.tcp ? 'tcp' : 'udp' },
    {
      id: 'a',
      type: 'inbound-rtp',
      kind: 'audio',
      mid: '8',
      packetsReceived: 50 * second - lost,
      packetsLost: lost,
      jitter: 0.006,
      totalSamplesReceived: 48_000 * second,
      concealedSamples: 960 * second,
      silentConcealedSamples: 480 * second,
    },
    {
      id: 'v',
      type: 'inbound-rtp',
      kind: 'video',
      mid: '9',
      packetsReceived: 50 * second,
      packetsLost: 0,
      framesDecoded: 24 * second,
      framesPerSecond: 24,
      frameWidth: 640,
      frameHeight: 360,
      freezeCount: second >= 5 ? 1 : 0,
      totalFreezesDuration: second >= 5 ? 0.4 : 0,
    },
    {
      id: 'oa',
      type: 'outbound-rtp',
      kind: 'audio',
      mid: '0',
      packetsSent: 50 * second,
      bytesSent: 4_000 * second,
      remoteId: 'ra',
    },
    { id: 'ra', type: 'remote-inbound-rtp', kind: 'audio', fractionLost: changed.loss ?? 0 },
    {
      id: 'oq',
      type: 'outbound-rtp',
      kind: 'video',
      mid: '1',
      rid: 'q',
      packetsSent: 50 * second,
      bytesSent: 9_000 * second,
      qualityLimitationReason: changed.cpu ? 'cpu' : changed.thin ? 'bandwidth' : 'none',
      remoteId: 'ra',
    },
    {
      id: 'of',
      type: 'outbound-rtp',
      kind: 'video',
      mid: '1',
      rid: 'f',
      packetsSent: 0,
      bytesSent: 0,
      qualityLimitationReason: 'bandwidth',
    },
  ];
  const report = new Map(entries.map((entry) => [entry.id, entry]));
  return readSample(report, second * 1_000, { ...PLACES, connection: changed.connection ?? 'c-1' });
}

function reporter() {
  const reports: QualityReport[] = [];
  const now: QualityReport[] = [];
  const overTcp: boolean[] = [];
  let listener: SampleListener | undefined;
  const samples = {
    subscribe: (one: SampleListener) => {
      listener = one;
      return () => {
        listener = undefined;
      };
    },
  };
  const made = new QualityReporter(
    samples,
    { network: () => 'wifi', browser: 'chromium' },
    (report) => reports.push(report),
    (report, tcp) => {
      now.push(report);
      overTcp.push(tcp);
    },
  );
  return { made, reports, now, overTcp, say: (one: Sample) => listener?.(one), listens: () => listener !== undefined };
}

describe('a report on the connection', () => {
  it('sums up ten seconds', () => {
    const { reports, now, say } = reporter();
    for (let second = 1; second <= 21; second++) say(sample(second, { loss: 0.08, cpu: second <= 5 }));
    expect(reports).toHaveLength(2);
    expect(reports[0]).toEqual({
      rtt_ms: 40,
      jitter_ms: 6,
      loss_up: 80,
      loss_down: 0,
      fps: 24,
      concealed: 10,
      layers: 1,
      freezes: 1,
      frozen_ms: 400,
      limited_cpu_ms: 4_000,
      limited_bandwidth_ms: 0,
      restarts: 0,
      network: 'wifi',
      browser: 'chromium',
    });
    expect(reports[1]).toMatchObject({ freezes: 0, limited_cpu_ms: 0 });
    expect(now).toHaveLength(20);
  });

  it('takes the low beginning of a connection for no thin line', () => {
    const { reports, say } = reporter();
    for (let second = 1; second <= 21; second++) say(sample(second, { thin: true }));
    say(sample(22, { thin: true, connection: 'c-2' }));
    for (let second = 23; second <= 32; second++) say(sample(second, { thin: true, connection: 'c-2' }));
    expect(reports.map((one) => one.limited_bandwidth_ms)).toEqual([0, 10_000, 0]);
  });

  it('says of the moment whether it goes over TCP', () => {
    const { overTcp, say } = reporter();
    for (let second = 1; second <= 3; second++) say(sample(second));
    for (let second = 4; second <= 5; second++) say(sample(second, { tcp: true }));
    say(sample(6));
    expect(overTcp).toEqual([false, false, true, true, false]);
  });

  it('counts what did not arrive as a share of what was to arrive', () => {
    const { made, reports, say } = reporter();
    say(sample(1));
    say(sample(3, { lost: 20 }));
    made.end();
    expect(reports[0]?.loss_down).toBe(100);
  });

  it('has what is left when one leaves, and nothing after', () => {
    const { made, reports, say, listens } = reporter();
    say(sample(1));
    say(sample(4));
    made.end();
    expect(reports).toHaveLength(1);
    expect(listens()).toBe(false);
    made.end();
    expect(reports).toHaveLength(1);
  });

  it('says nothing of a moment, but of a device that failed', () => {
    const short = reporter();
    short.say(sample(1));
    short.say(sample(2));
    short.made.end();
    expect(short.reports).toEqual([]);
    const failed = reporter();
    failed.made.noteProblem('missing');
    failed.made.noteProblem('missing');
    failed.made.noteProblem('unsupported');
    failed.made.end();
    expect(failed.reports[0]?.problems).toEqual(['not_found', 'other']);
  });

  it('begins anew with another connection, and skips what a page slept through', () => {
    const { made, reports, say } = reporter();
    say(sample(1));
    say(sample(3));
    say(sample(4, { connection: 'c-2' }));
    say(sample(60, { connection: 'c-2' }));
    made.end();
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ restarts: 1, freezes: 0 });
  });
});
