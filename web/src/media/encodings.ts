/**
 * What the uplink sends: simulcast layers of the camera, one of the screen, and which codecs are offered.
 */

/** Layers by `rid`: q, h and f are a quarter, half and full size of a picture of 720 lines. */
export const CAMERA_ENCODINGS: readonly RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

/** From these many pixels on, browsers send three or two layers; of a smaller picture they leave the largest out. */
const THREE_LAYERS = 960 * 540;
const TWO_LAYERS = 480 * 270;

/**
 * What is sent of a picture of this size. The layers that a browser would leave out of a small picture are switched off,
 * and the others moved up, so that its full size always gets through.
 */
export function cameraLayers(width: number, height: number): { scaleResolutionDownBy: number; active: boolean }[] {
  const pixels = width * height;
  const layers = pixels >= THREE_LAYERS ? 3 : pixels >= TWO_LAYERS ? 2 : 1;
  return CAMERA_ENCODINGS.map((_, i) => ({
    scaleResolutionDownBy: 2 ** Math.max(0, layers - 1 - i),
    active: i < layers,
  }));
}

export const SCREEN_ENCODINGS: readonly RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000, maxFramerate: 30 }];

/** VP8 with retransmission and nothing else: the only video codec the forwarding is proven with. */
export function videoCodecs(capabilities: RTCRtpCapabilities | null): RTCRtpCodec[] {
  return pick(capabilities, ['video/vp8', 'video/rtx']);
}

export function audioCodecs(capabilities: RTCRtpCapabilities | null): RTCRtpCodec[] {
  return pick(capabilities, ['audio/opus']);
}

function pick(capabilities: RTCRtpCapabilities | null, types: readonly string[]): RTCRtpCodec[] {
  const codecs = capabilities?.codecs ?? [];
  return types.flatMap((type) => codecs.filter((codec) => codec.mimeType.toLowerCase() === type));
}
