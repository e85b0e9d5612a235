/**
 * What is sent of a picture, as pure rules: layers of the camera and of a screen, how many bits each may take, which of
 * them are switched on, and which codecs are offered.
 */

/** Layers by `rid`, from the smallest: a quarter, half and full size of a picture of 720 lines. */
const CAMERA_RIDS = ['q', 'h', 'f'] as const;
/** A screen has a half as well: for small tiles and thin lines. */
const SCREEN_RIDS = ['h', 'f'] as const;

/** More brings nothing that one would see. */
const CAMERA_BPS: readonly number[] = [120_000, 420_000, 2_200_000];
/**
 * All layers of a camera together: with sound and headers below 2 Mbit/s. In a talk of two the picture may take what
 * its full size can use.
 */
const CAMERA_SUM_BPS = 1_700_000;
const CAMERA_FPS = 30;

/** From these many pixels on, browsers send three or two layers; of a smaller picture they leave the largest out. */
const THREE_LAYERS = 960 * 540;
const TWO_LAYERS = 480 * 270;

/** `text` stays sharp and moves little; `motion` moves and may blur. */
export type ScreenMode = 'text' | 'motion';

interface ScreenShape {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** From the smallest layer. What a line bears, the browser and the server find out. */
  readonly bps: readonly number[];
}

export const SCREEN_SHAPES: { readonly [M in ScreenMode]: ScreenShape } = {
  text: { width: 2_560, height: 1_440, fps: 15, bps: [500_000, 6_000_000] },
  motion: { width: 1_920, height: 1_080, fps: 30, bps: [500_000, 5_000_000] },
};

/** One layer as it is sent. */
export interface Encoding {
  readonly active: boolean;
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number;
  readonly maxFramerate: number;
  /** How many sizes are in the one stream, where that is not one. */
  readonly sizes?: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Sending {
  /** The rids that somebody looks at; undefined while nobody said so. */
  readonly wanted: readonly string[] | undefined;
  /** Not more layers than this device can bear. */
  readonly layers: number;
  readonly fps: number;
  readonly line: Line;
}

/**
 * What the line up is known to bear, by the largest camera layer that gets through alone. Browsers stop a large layer
 * altogether when the line is thinner than its least, and without a smaller one beside it they never look for more.
 */
export type Line = 0 | 1 | 2;

/** From which estimate on a layer is trusted to go alone, and below which not any more. */
const TRUSTED_BPS: readonly { readonly up: number; readonly down: number }[] = [
  { up: 0, down: 0 },
  { up: 450_000, down: 250_000 },
  { up: 2_000_000, down: 1_200_000 },
];

/** Until the browser tells an estimate, and where it never does. */
export const UNKNOWN_LINE: Line = 1;

export function lineOf(before: Line, estimateBps: number | undefined): Line {
  if (estimateBps === undefined) return before;
  const borne = ([2, 1] as const).find((layer) => {
    const { up, down } = TRUSTED_BPS[layer] ?? { up: 0, down: 0 };
    return estimateBps >= (layer <= before ? down : up);
  });
  return borne ?? 0;
}

/** Of a camera. `two`: nobody else is in. */
export function cameraEncodings(size: Size, { wanted, layers, fps, line }: Sending, two: boolean): Encoding[] {
  const pixels = size.width * size.height;
  const possible = pixels >= THREE_LAYERS ? 3 : pixels >= TWO_LAYERS ? 2 : 1;
  const on = switchedOn(CAMERA_RIDS, Math.min(possible, layers), wanted);
  accompany(on, line);
  let left = two ? Number.POSITIVE_INFINITY : CAMERA_SUM_BPS;
  return CAMERA_BPS.map((most, i) => {
    const active = on.has(i);
    const maxBitrate = Math.min(most, left);
    if (active) left -= maxBitrate;
    return {
      active,
      // The layers that a browser would leave out of a small picture are off, and the others moved up: its full size
      // always gets through.
      scaleResolutionDownBy: 2 ** Math.max(0, possible - 1 - i),
      maxBitrate,
      maxFramerate: Math.min(CAMERA_FPS, fps),
    };
  });
}

/**
 * The same with the largest and all smaller sizes in one stream, in the place of the smallest. One size alone is a stream
 * of its own.
 */
export function inOneStream(layers: readonly Encoding[]): Encoding[] {
  const on = layers.filter(({ active }) => active);
  const largest = on.at(-1);
  if (on.length < 2 || !largest) return [...layers];
  const { scaleResolutionDownBy } = largest;
  const maxBitrate = on.reduce((sum, layer) => sum + layer.maxBitrate, 0);
  const sizes = layers.lastIndexOf(largest) + 1;
  return layers.map((layer, i) =>
    i > 0 ? { ...layer, active: false } : { ...layer, active: true, scaleResolutionDownBy, maxBitrate, sizes },
  );
}

export function screenEncodings(mode: ScreenMode, { wanted, fps, line }: Sending): Encoding[] {
  const { bps, fps: most } = SCREEN_SHAPES[mode];
  const on = switchedOn(SCREEN_RIDS, SCREEN_RIDS.length, wanted);
  accompany(on, line === 2 ? 1 : 0);
  // Over the thinnest line text is rather late than illegible.
  const thin = line === 0;
  const scale = thin && mode === 'text' ? 1 : 2;
  return bps.map((maxBitrate, i) => ({
    active: on.has(i) && !(thin && i > 0),
    scaleResolutionDownBy: i === 0 ? scale : 1,
    maxBitrate,
    maxFramerate: Math.min(most, fps),
  }));
}

/** Beside a layer that the line is not trusted to bear goes a smaller one. */
function accompany(on: Set<number>, line: number): void {
  if (on.size > 0 && Math.min(...on) > line) on.add(line);
}

/** Somebody who wants a larger layer than there is gets the largest. */
function switchedOn(rids: readonly string[], possible: number, wanted: readonly string[] | undefined): Set<number> {
  const asked = wanted ?? rids;
  return new Set(asked.map((rid) => Math.min(rids.indexOf(rid), possible - 1)).filter((layer) => layer >= 0));
}

const ALL: Sending = { wanted: undefined, layers: 3, fps: CAMERA_FPS, line: UNKNOWN_LINE };

/** What browsers know of an encoding, some more than others. */
export interface Offered extends RTCRtpEncodingParameters {
  readonly scalabilityMode?: string;
  readonly codec?: RTCRtpCodec;
}

/** One size is as the offer begins; several need each other at keyframes only, so that nobody is sent more than one. */
export function scalabilityMode({ sizes = 1 }: Encoding): string {
  return sizes > 1 ? `L${sizes}T3_KEY` : 'L1T3';
}

/**
 * As the offer begins. Temporal layers are named although Chromium has them anyway: only then does it take the smallest
 * layer, where it goes alone, for a stream of its own that adapts to any line.
 */
export const CAMERA_ENCODINGS: readonly Offered[] = cameraEncodings({ width: 1_280, height: 720 }, ALL, false).map(
  (encoding, i) => ({ rid: CAMERA_RIDS[i] ?? '', ...encoding, scalabilityMode: 'L1T3' }),
);

/** Of two pictures on one line the screen is the more important: browsers read that from the first layer. */
export const SCREEN_ENCODINGS: readonly Offered[] = screenEncodings('text', ALL).map((encoding, i) => ({
  rid: SCREEN_RIDS[i] ?? '',
  ...encoding,
  scalabilityMode: 'L1T2',
  ...(i === 0 ? { priority: 'high' as const } : {}),
}));

/** VP8 before all, which everybody has; others where the house wants one; and retransmission. */
export function videoCodecs(capabilities: RTCRtpCapabilities | null): RTCRtpCodec[] {
  return pick(capabilities, ['video/vp8', 'video/vp9', 'video/av1', 'video/rtx']).filter(isUsual);
}

/** Of VP9 and AV1 there are kinds with more colour and more bits, which few can show. */
function isUsual({ sdpFmtpLine = '' }: RTCRtpCodec): boolean {
  return !/profile(-id)?=[1-9]/.test(sdpFmtpLine);
}

/** With redundancy where the browser knows it; Firefox does not. */
export function audioCodecs(capabilities: RTCRtpCapabilities | null): RTCRtpCodec[] {
  return pick(capabilities, ['audio/opus', 'audio/red']);
}

function pick(capabilities: RTCRtpCapabilities | null, types: readonly string[]): RTCRtpCodec[] {
  const codecs = capabilities?.codecs ?? [];
  return types.flatMap((type) => codecs.filter((codec) => codec.mimeType.toLowerCase() === type));
}
