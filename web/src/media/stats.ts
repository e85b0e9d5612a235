/**
 * What the browser measures of a connection, read once a second and told to everybody who needs it. Sums count from the
 * start of the stream, as the browser gives them; what a browser does not tell is undefined, never zero. Judges nothing.
 */

import type { Source } from '../protocol/generated.ts';
import type { Clock } from './clock.ts';

export const SAMPLE_MS = 1_000;

type Maybe = number | undefined;

/** One reading. Sums of different connections have nothing to do with each other. */
export interface Sample {
  /** Of the clock, in ms. */
  readonly at: number;
  /** The server's name for the connection, once it has one. */
  readonly connection: string | undefined;
  readonly path: PathSample | undefined;
  readonly videosIn: readonly VideoInSample[];
  readonly audiosIn: readonly AudioInSample[];
  readonly videosOut: readonly VideoOutSample[];
  readonly audiosOut: readonly AudioOutSample[];
}

/** The candidate pair in use. */
export interface PathSample {
  readonly bytesSent: Maybe;
  readonly bytesReceived: Maybe;
  /** Answers to connectivity checks: they come even when nobody sends anything. */
  readonly responsesReceived: Maybe;
  /** Connectivity checks of ours. */
  readonly requestsSent: Maybe;
  /** Since anything came in over it. */
  readonly silentMs: Maybe;
  readonly rttMs: Maybe;
  readonly availableOutgoingBps: Maybe;
  readonly protocol: 'udp' | 'tcp' | undefined;
  readonly relayed: boolean;
}

interface InSample {
  /** Index of the down slot. */
  readonly slot: number;
  readonly bytes: Maybe;
  readonly packets: Maybe;
  readonly lost: Maybe;
  readonly jitterMs: Maybe;
  /** Waiting time of all that left the jitter buffer, and how many frames or samples that were. */
  readonly bufferMs: Maybe;
  readonly bufferEmitted: Maybe;
}

export interface VideoInSample extends InSample {
  readonly framesReceived: Maybe;
  readonly framesDecoded: Maybe;
  readonly framesDropped: Maybe;
  readonly keyFramesDecoded: Maybe;
  readonly freezes: Maybe;
  readonly freezesMs: Maybe;
  readonly decodeMs: Maybe;
  readonly fps: Maybe;
  readonly width: Maybe;
  readonly height: Maybe;
  readonly nacks: Maybe;
  readonly plis: Maybe;
}

export interface AudioInSample extends InSample {
  readonly samples: Maybe;
  /** Made up by the browser, silence of a pause in sending included. */
  readonly concealed: Maybe;
  readonly silentConcealed: Maybe;
  readonly level: Maybe;
}

/** What the other end reported of a stream. */
export interface RemoteSample {
  readonly rttMs: Maybe;
  /** From 0 to 1, since the report before. */
  readonly loss: Maybe;
  readonly jitterMs: Maybe;
  readonly lost: Maybe;
}

interface OutSample {
  readonly source: Source;
  readonly bytes: Maybe;
  readonly packets: Maybe;
  readonly retransmittedBytes: Maybe;
  readonly remote: RemoteSample | undefined;
}

export type Limitation = 'none' | 'cpu' | 'bandwidth' | 'other';

/** One layer of a source. */
export interface VideoOutSample extends OutSample {
  /** Empty for a source with a single layer. */
  readonly rid: string;
  readonly active: boolean | undefined;
  readonly targetBps: Maybe;
  readonly framesEncoded: Maybe;
  readonly keyFramesEncoded: Maybe;
  readonly encodeMs: Maybe;
  readonly fps: Maybe;
  readonly width: Maybe;
  readonly height: Maybe;
  readonly limitation: Limitation | undefined;
  readonly plis: Maybe;
}

export type AudioOutSample = OutSample;

/** Which section of the connection is whose. */
export interface Places {
  readonly connection: string | undefined;
  source(mid: string): Source | undefined;
  /** By section, or by the receiver's track where the browser names no section. */
  slot(mid: string | undefined, track: string | undefined): number | undefined;
}

/** How much a sum grew; undefined where it is not known or began anew. */
export function growth(before: Maybe, after: Maybe): Maybe {
  return before === undefined || after === undefined || after < before ? undefined : after - before;
}

/** Told of every sample, also of those without a path. */
export type SampleListener = (sample: Sample) => void;

/** Reads once a second, whatever became of the reading before and of those who were told, and hands on. */
export class StatsPoller {
  readonly #clock: Clock;
  readonly #read: () => Promise<Sample>;
  readonly #listeners = new Set<SampleListener>();
  #cancel = (): void => {};
  #stopped = false;
  #asked = 0;
  /** The newest reading that was handed on: an older one comes too late. */
  #told = 0;

  constructor(clock: Clock, read: () => Promise<Sample>) {
    this.#clock = clock;
    this.#read = read;
  }

  subscribe(listener: SampleListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(SAMPLE_MS, () => {
      this.start();
      const asked = ++this.#asked;
      // Of a connection that was closed meanwhile some browsers tell nothing, and never.
      this.#read().then(
        (sample) => this.#tell(asked, sample),
        () => {},
      );
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #tell(asked: number, sample: Sample): void {
    if (this.#stopped || asked <= this.#told) return;
    this.#told = asked;
    for (const listener of [...this.#listeners]) {
      try {
        listener(sample);
      } catch (error) {
        // Said as any other fault; whoever watches the path must not go without because of it.
        this.#clock.after(0, () => {
          throw error;
        });
      }
    }
  }
}

type Entry = Readonly<Record<string, unknown>>;

/** The parts of a report that somebody needs, under our names. */
export function readSample(report: ReadonlyMap<string, Entry>, at: number, places: Places): Sample {
  const entries = [...report.values()];
  const of = (type: string, kind: string): Entry[] =>
    entries.filter((entry) => entry.type === type && (entry.kind ?? entry.mediaType) === kind);
  return {
    at,
    connection: places.connection,
    path: readPath(report, entries),
    videosIn: of('inbound-rtp', 'video').flatMap((entry) => incoming(entry, places, videoIn)),
    audiosIn: of('inbound-rtp', 'audio').flatMap((entry) => incoming(entry, places, audioIn)),
    videosOut: of('outbound-rtp', 'video').flatMap((entry) => outgoing(entry, report, places, videoOut)),
    audiosOut: of('outbound-rtp', 'audio').flatMap((entry) => outgoing(entry, report, places, (_, common) => common)),
  };
}

function readPath(report: ReadonlyMap<string, Entry>, entries: readonly Entry[]): PathSample | undefined {
  const pair = chosenPair(report, entries);
  if (!pair) return undefined;
  const local = report.get(text(pair, 'localCandidateId') ?? '');
  const protocol = local && text(local, 'protocol');
  return {
    bytesSent: number(pair, 'bytesSent'),
    bytesReceived: number(pair, 'bytesReceived'),
    responsesReceived: number(pair, 'responsesReceived'),
    requestsSent: number(pair, 'requestsSent'),
    silentMs: since(number(pair, 'lastPacketReceivedTimestamp'), number(pair, 'timestamp')),
    rttMs: ms(pair, 'currentRoundTripTime'),
    availableOutgoingBps: number(pair, 'availableOutgoingBitrate'),
    protocol: protocol === 'udp' || protocol === 'tcp' ? protocol : undefined,
    relayed: local?.candidateType === 'relay',
  };
}

/** Chromium names it in the transport, Firefox marks it; otherwise it is the one over which most came. */
function chosenPair(report: ReadonlyMap<string, Entry>, entries: readonly Entry[]): Entry | undefined {
  const transport = entries.find((entry) => entry.type === 'transport');
  const named = report.get((transport && text(transport, 'selectedCandidatePairId')) ?? '');
  if (named) return named;
  const pairs = entries.filter((entry) => entry.type === 'candidate-pair' && entry.state === 'succeeded');
  const received = (pair: Entry): number => number(pair, 'bytesReceived') ?? 0;
  return pairs.find((pair) => pair.selected === true) ?? pairs.sort((a, b) => received(b) - received(a))[0];
}

function incoming<T>(entry: Entry, places: Places, read: (entry: Entry, common: InSample) => T): T[] {
  const slot = places.slot(text(entry, 'mid'), text(entry, 'trackIdentifier'));
  if (slot === undefined) return [];
  const common: InSample = {
    slot,
    bytes: number(entry, 'bytesReceived'),
    packets: number(entry, 'packetsReceived'),
    lost: number(entry, 'packetsLost'),
    jitterMs: ms(entry, 'jitter'),
    bufferMs: ms(entry, 'jitterBufferDelay'),
    bufferEmitted: number(entry, 'jitterBufferEmittedCount'),
  };
  return [read(entry, common)];
}

function videoIn(entry: Entry, common: InSample): VideoInSample {
  return {
    ...common,
    framesReceived: number(entry, 'framesReceived'),
    framesDecoded: number(entry, 'framesDecoded'),
    framesDropped: number(entry, 'framesDropped'),
    keyFramesDecoded: number(entry, 'keyFramesDecoded'),
    freezes: number(entry, 'freezeCount'),
    freezesMs: ms(entry, 'totalFreezesDuration'),
    decodeMs: ms(entry, 'totalDecodeTime'),
    fps: number(entry, 'framesPerSecond'),
    width: number(entry, 'frameWidth'),
    height: number(entry, 'frameHeight'),
    nacks: number(entry, 'nackCount'),
    plis: number(entry, 'pliCount'),
  };
}

function audioIn(entry: Entry, common: InSample): AudioInSample {
  return {
    ...common,
    samples: number(entry, 'totalSamplesReceived'),
    concealed: number(entry, 'concealedSamples'),
    silentConcealed: number(entry, 'silentConcealedSamples'),
    level: number(entry, 'audioLevel'),
  };
}

function outgoing<T>(
  entry: Entry,
  report: ReadonlyMap<string, Entry>,
  places: Places,
  read: (entry: Entry, common: OutSample) => T,
): T[] {
  const source = places.source(text(entry, 'mid') ?? '');
  if (source === undefined) return [];
  const remote = report.get(text(entry, 'remoteId') ?? '');
  const common: OutSample = {
    source,
    bytes: number(entry, 'bytesSent'),
    packets: number(entry, 'packetsSent'),
    retransmittedBytes: number(entry, 'retransmittedBytesSent'),
    remote: remote && {
      rttMs: ms(remote, 'roundTripTime'),
      loss: number(remote, 'fractionLost'),
      jitterMs: ms(remote, 'jitter'),
      lost: number(remote, 'packetsLost'),
    },
  };
  return [read(entry, common)];
}

const LIMITATIONS: readonly string[] = ['none', 'cpu', 'bandwidth', 'other'] satisfies Limitation[];

function videoOut(entry: Entry, common: OutSample): VideoOutSample {
  const limitation = text(entry, 'qualityLimitationReason');
  const active = entry.active;
  return {
    ...common,
    rid: text(entry, 'rid') ?? '',
    active: typeof active === 'boolean' ? active : undefined,
    targetBps: number(entry, 'targetBitrate'),
    framesEncoded: number(entry, 'framesEncoded'),
    keyFramesEncoded: number(entry, 'keyFramesEncoded'),
    encodeMs: ms(entry, 'totalEncodeTime'),
    fps: number(entry, 'framesPerSecond'),
    width: number(entry, 'frameWidth'),
    height: number(entry, 'frameHeight'),
    limitation: LIMITATIONS.includes(limitation ?? '') ? (limitation as Limitation) : undefined,
    plis: number(entry, 'pliCount'),
  };
}

function number(entry: Entry, name: string): Maybe {
  const value = entry[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function ms(entry: Entry, name: string): Maybe {
  const seconds = number(entry, name);
  return seconds === undefined ? undefined : seconds * 1_000;
}

/** Of two readings of the browser's clock. */
function since(then: Maybe, now: Maybe): Maybe {
  return then === undefined || now === undefined ? undefined : Math.max(0, now - then);
}

function text(entry: Entry, name: string): string | undefined {
  const value = entry[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
