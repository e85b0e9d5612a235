/**
 * What the uplink sends: simulcast layers of the camera, one of the screen, and which codecs are offered.
 */

/** Layers by `rid`: q, h and f are a quarter, half and full size of a picture of 720 lines. */
export const CAMERA_ENCODINGS: readonly RTCRtpEncodingParameters[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

export const SCREEN_ENCODINGS: readonly RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000, maxFramerate: 30 }];

/** VP8 with retransmission and nothing else: the only video codec the forwarding is proven with. */
export function videoCodecs(capabilities: RTCRtpCapabilities | null): RTCRtpCodec[] {
  return pick(capabilities, ["video/vp8", "video/rtx"]);
}

export function audioCodecs(capabilities: RTCRtpCapabilities | null): RTCRtpCodec[] {
  return pick(capabilities, ["audio/opus"]);
}

function pick(capabilities: RTCRtpCapabilities | null, types: readonly string[]): RTCRtpCodec[] {
  const codecs = capabilities?.codecs ?? [];
  return types.flatMap((type) => codecs.filter((codec) => codec.mimeType.toLowerCase() === type));
}
