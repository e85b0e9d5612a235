import { describe, expect, it } from 'vitest';
import { FakeClock } from '../tests/clock.ts';
import { growth, type Places, readSample, type Sample, StatsPoller } from './stats.ts';

const PLACES: Places = {
  connection: 'c-1',
  source: (mid) => ({ '0': 'microphone' as const, '1': 'camera' as const })[mid],
  slot: (mid, track) => (mid === '9' || track === 'track-9' ? 2 : undefined),
};

function read(...entries: ({ id: string } & Record<string, unknown>)[]): Sample {
  return readSample(new Map(entries.map((entry) => [entry.id, entry])), 7, PLACES);
}

describe('the path', () => {
  const pair = { type: 'candidate-pair', state: 'succeeded', bytesReceived: 10, localCandidateId: 'l' };
  const table: [string, ({ id: string } & Record<string, unknown>)[], object | undefined][] = [
    ['is not there before checks succeeded', [{ ...pair, id: 'a', state: 'in-progress' }], undefined],
    [
      'is the one that the transport names, though more came over another',
      [
        { ...pair, id: 'a', bytesReceived: 99 },
        { ...pair, id: 'b', currentRoundTripTime: 0.02, availableOutgoingBitrate: 300_000 },
        { id: 't', type: 'transport', selectedCandidatePairId: 'b' },
      ],
      { bytesReceived: 10, rttMs: 20, availableOutgoingBps: 300_000 },
    ],
    [
      'is the one that Firefox marks, which tells no estimate',
      [
        { ...pair, id: 'a', bytesReceived: 99 },
        { ...pair, id: 'b', selected: true },
      ],
      { bytesReceived: 10, rttMs: undefined, availableOutgoingBps: undefined, protocol: undefined, relayed: false },
    ],
    [
      'is the busiest where nobody says',
      [
        { ...pair, id: 'a', bytesReceived: 1 },
        { ...pair, id: 'b' },
      ],
      { bytesReceived: 10 },
    ],
    [
      'is relayed when the own candidate is',
      [
        { ...pair, id: 'a', selected: true },
        { id: 'l', type: 'local-candidate', candidateType: 'relay', protocol: 'tcp' },
      ],
      { protocol: 'tcp', relayed: true },
    ],
  ];
  for (const [what, entries, expected] of table) {
    it(what, () => {
      const { path } = read(...entries);
      if (expected) expect(path).toMatchObject(expected);
      else expect(path).toBeUndefined();
    });
  }
});

describe('a stream', () => {
  it('is found by its section, with times in milliseconds', () => {
    const { videosIn } = read({
      id: 'v',
      type: 'inbound-rtp',
      kind: 'video',
      mid: '9',
      framesDecoded: 30,
      totalDecodeTime: 0.25,
      frameHeight: 720,
    });
    expect(videosIn).toMatchObject([{ slot: 2, framesDecoded: 30, decodeMs: 250, height: 720, freezes: undefined }]);
  });

  it('is found by its track where the browser names no section', () => {
    const { audiosIn } = read({
      id: 'a',
      type: 'inbound-rtp',
      mediaType: 'audio',
      trackIdentifier: 'track-9',
      totalSamplesReceived: 960,
      concealedSamples: 96,
    });
    expect(audiosIn).toMatchObject([{ slot: 2, samples: 960, concealed: 96, silentConcealed: undefined }]);
  });

  it('of nobody is left out', () => {
    const sample = read(
      { id: 'v', type: 'inbound-rtp', kind: 'video', mid: '77' },
      { id: 'o', type: 'outbound-rtp', kind: 'video', mid: '77' },
    );
    expect([sample.videosIn, sample.videosOut]).toEqual([[], []]);
  });

  it('that is sent has one entry for each layer, with what the other end reported', () => {
    const { videosOut, audiosOut } = read(
      {
        id: 'q',
        type: 'outbound-rtp',
        kind: 'video',
        mid: '1',
        rid: 'q',
        active: false,
        qualityLimitationReason: 'cpu',
        remoteId: 'rq',
      },
      { id: 'f', type: 'outbound-rtp', kind: 'video', mid: '1', rid: 'f', qualityLimitationReason: 'boredom' },
      { id: 'rq', type: 'remote-inbound-rtp', kind: 'video', fractionLost: 0.1, roundTripTime: 0.05 },
      { id: 'a', type: 'outbound-rtp', kind: 'audio', mid: '0', bytesSent: 5 },
    );
    expect(videosOut).toMatchObject([
      { source: 'camera', rid: 'q', active: false, limitation: 'cpu', remote: { loss: 0.1, rttMs: 50 } },
      { source: 'camera', rid: 'f', active: undefined, limitation: undefined, remote: undefined },
    ]);
    expect(audiosOut).toMatchObject([{ source: 'microphone', bytes: 5 }]);
  });
});

it('growth is unknown when a sum is missing or began anew', () => {
  const table: [number | undefined, number | undefined, number | undefined][] = [
    [1, 4, 3],
    [4, 4, 0],
    [4, 1, undefined],
    [undefined, 1, undefined],
    [1, undefined, undefined],
  ];
  for (const [before, after, expected] of table) expect(growth(before, after)).toBe(expected);
});

describe('the poller', () => {
  it('reads once a second, goes on after a reading that failed, and ends', async () => {
    const clock = new FakeClock();
    let readings = 0;
    const poller = new StatsPoller(clock, async () => {
      if (++readings === 2) throw new Error('closed');
      return readSample(new Map(), clock.now(), PLACES);
    });
    const told: number[] = [];
    const unsubscribe = poller.subscribe(({ at }) => told.push(at));
    poller.start();
    await clock.pass(4_500);
    expect(told).toEqual([1_000, 3_000, 4_000]);
    unsubscribe();
    await clock.pass(1_000);
    expect([readings, told.length]).toEqual([5, 3]);
    poller.stop();
    await clock.pass(5_000);
    expect(readings).toBe(5);
  });

  it('goes on when somebody who is told fails, and when a reading never ends', async () => {
    const clock = new FakeClock();
    let readings = 0;
    const poller = new StatsPoller(clock, async () => {
      if (++readings === 2) await new Promise(() => {});
      return readSample(new Map(), clock.now(), PLACES);
    });
    const told: number[] = [];
    poller.subscribe(({ at }) => {
      if (told.push(at) === 1) throw new Error('a fault of the screen');
    });
    poller.subscribe(({ at }) => told.push(at));
    poller.start();
    await expect(clock.pass(1_000)).rejects.toThrow('a fault of the screen');
    await clock.pass(3_000);
    expect(told).toEqual([1_000, 1_000, 3_000, 3_000, 4_000, 4_000]);
    poller.stop();
  });

  it('hands on what took long in the order of the readings', async () => {
    const clock = new FakeClock();
    const poller = new StatsPoller(clock, async () => {
      const at = clock.now();
      await new Promise<void>((resolve) => clock.after(at === 1_000 ? 1_500 : 0, resolve));
      return readSample(new Map(), at, PLACES);
    });
    const told: number[] = [];
    poller.subscribe(({ at }) => told.push(at));
    poller.start();
    await clock.pass(3_000);
    poller.stop();
    expect(told).toEqual([2_000, 3_000]);
  });
});
