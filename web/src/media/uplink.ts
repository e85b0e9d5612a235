/**
 * What is sent in the sections up: which track of each source, and which of its layers at what size. Changes of one
 * source follow each other in order, and only what differs is asked of the browser. Decides nothing: see `encodings.ts`.
 */

import type { Demand, Source, VideoCodec } from '../protocol/generated.ts';
import {
  cameraEncodings,
  type Encoding,
  inOneStream,
  type Line,
  type Offered,
  type ScreenMode,
  type Sending,
  type Size,
  scalabilityMode,
  screenEncodings,
  UNKNOWN_LINE,
} from './encodings.ts';

/** What all pictures of this person depend on. */
export interface Wishes {
  /** What somebody looks at; undefined while the server cannot know. */
  readonly demand: readonly Demand[] | undefined;
  /** What this device bears. */
  readonly layers: number;
  readonly fps: number;
  readonly line: Line;
  readonly screenMode: ScreenMode;
  /** Nobody else is in than one other. */
  readonly two: boolean;
  /** Somebody comes in at any moment, or just has. A sleeping camera takes its time; the smallest picture is there at once. */
  readonly greets: boolean;
}

export const ALL_WISHES: Wishes = {
  demand: undefined,
  layers: 3,
  fps: 30,
  line: UNKNOWN_LINE,
  screenMode: 'text',
  two: false,
  greets: false,
};

type Sections = Readonly<Record<Source, RTCRtpTransceiver>>;

export class Uplink {
  readonly #sections: Sections;
  readonly #changes = new Map<Source, Promise<void>>();
  #wishes = ALL_WISHES;
  /** This browser can send nothing but VP8, whatever it says. */
  #plain = false;

  constructor(sections: Sections) {
    this.#sections = sections;
  }

  /** Resolves when the track is in its place. */
  setTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const { sender } = this.#sections[source];
    return this.#after(source, async () => {
      if (sender.track === track) return;
      await sender.replaceTrack(track);
      await this.#fit(source);
    });
  }

  follow(wishes: Wishes): void {
    this.#wishes = wishes;
    for (const source of ['camera', 'screen'] as const) {
      // A browser that refuses sends on as it did: too much, but not wrong.
      this.#after(source, () => this.#fit(source)).catch(() => {});
    }
  }

  #after(source: Source, change: () => Promise<void>): Promise<void> {
    const done = (this.#changes.get(source) ?? Promise.resolve()).then(change);
    const settled = done.catch(() => {});
    this.#changes.set(source, settled);
    return done;
  }

  async #fit(source: Source): Promise<void> {
    const { sender } = this.#sections[source];
    if (sender.track?.kind !== 'video') return;
    const { width, height } = sender.track.getSettings();
    if (!width || !height) return;
    const parameters = sender.getParameters();
    const plain = encodingsOf(source, { width, height }, this.#wishes);
    const codec = this.#codecFor(source, parameters);
    const layers = codec ? inOneStream(plain) : plain;
    const encodings = parameters.encodings.length === 1 ? inOne(layers) : layers;
    if (parameters.encodings.length !== encodings.length) return;
    const asked = parameters.encodings.map((old, i) => asFor(old, encodings[i], codec, parameters.codecs));
    if (parameters.encodings.every((old, i) => same(old, asked[i]))) return;
    parameters.encodings = asked;
    try {
      await sender.setParameters(parameters);
    } catch (error) {
      if (!codec) throw error;
      // It knows the codec and cannot send it like this.
      this.#plain = true;
      await this.#fit(source);
    }
  }

  /** Something else than VP8, if that is asked for and this browser can: it names how sizes go together. */
  #codecFor(source: Source, { codecs, encodings }: RTCRtpSendParameters): RTCRtpCodec | undefined {
    const demand = this.#wishes.demand?.find((one) => one.source === source);
    const several = encodings.length > 1 && (encodings[0] as Offered).scalabilityMode !== undefined;
    return demand?.codec && several && !this.#plain ? named(codecs, demand.codec) : undefined;
  }
}

function named(codecs: readonly RTCRtpCodec[], codec: VideoCodec | 'vp8'): RTCRtpCodec | undefined {
  return codecs.find(({ mimeType }) => mimeType.toLowerCase() === `video/${codec}`);
}

/** An encoding as it should be. Who never sent anything but VP8 is told of no codec. */
function asFor(
  old: Offered,
  encoding: Encoding | undefined,
  codec: RTCRtpCodec | undefined,
  codecs: readonly RTCRtpCodec[],
): Offered {
  if (!encoding) return old;
  const { sizes: _, ...rest } = encoding;
  const usual = old.codec && named(codecs, 'vp8');
  const one = codec ?? usual;
  return { ...old, ...rest, ...(one ? { codec: one, scalabilityMode: scalabilityMode(encoding) } : {}) };
}

function encodingsOf(
  source: Source,
  size: Size,
  { demand, layers, fps, line, screenMode, two, greets }: Wishes,
): Encoding[] {
  const asked = wantedLayers(source, demand);
  const wanted = source === 'camera' && greets && asked ? [...asked, 'q'] : asked;
  const sending: Sending = { wanted, layers, fps, line };
  return source === 'camera' ? cameraEncodings(size, sending, two) : screenEncodings(screenMode, sending);
}

/** Undefined is all there are; who sends in one encoding is asked for no layer by name. */
function wantedLayers(source: Source, demand: readonly Demand[] | undefined): readonly string[] | undefined {
  if (!demand) return undefined;
  const asked = demand.find((one) => one.source === source);
  if (!asked) return [];
  return asked.layers.length > 0 ? asked.layers : undefined;
}

/** For a connection in which layers were not agreed on: the largest that is wanted. */
function inOne(layers: readonly Encoding[]): readonly Encoding[] {
  const wanted = layers.filter(({ active }) => active);
  return (wanted.length > 0 ? wanted : layers).slice(-1);
}

function same(old: Offered, asked: Offered | undefined): boolean {
  return (
    asked !== undefined &&
    old.active === asked.active &&
    old.scaleResolutionDownBy === asked.scaleResolutionDownBy &&
    old.maxBitrate === asked.maxBitrate &&
    old.maxFramerate === asked.maxFramerate &&
    old.scalabilityMode === asked.scalabilityMode &&
    old.codec?.mimeType === asked.codec?.mimeType
  );
}
