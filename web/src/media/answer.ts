/** What we add to the server's answer before the browser reads it. Pure text; the server never sees it. */

/**
 * Where Chromium begins to send pictures: its own 300 kbit/s let a picture of 720 lines wait for seconds. A thinner
 * line is found out within the first second.
 */
const START_KBPS = 1_000;

export function withStartBitrate(sdp: string): string {
  return sdp.replace(
    /^(a=rtpmap:(\d+) VP8\/90000)(\r?\n)/gm,
    (_, line, type, end) => `${line}${end}a=fmtp:${type} x-google-start-bitrate=${START_KBPS}${end}`,
  );
}
