/**
 * What descriptions say about sound and browsers do not say by themselves. Knows lines of SDP and nothing else.
 */

/** Without pauses, in stereo, 128 kbit/s: what comes is not a voice. */
const MUSIC = 'minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=128000';

/** An offer, before the browser takes it: Chromium plays what it receives in mono unless its own offer says stereo. */
export function playingStereo(offer: string): string {
  return eachSection(offer, (section) => {
    const opus = payloadType(section, 'opus/');
    if (!section.includes('\r\na=recvonly\r\n') || opus === undefined) return section;
    return formatted(section, opus, (format) => (/(^|;)stereo=/.test(format) ? format : `${format};stereo=1`));
  });
}

/** An answer, before the browser takes it: the microphone of this section sends music from then on. */
export function sendingMusic(answer: string, mid: string): string {
  return eachSection(answer, (section) => {
    const opus = payloadType(section, 'opus/');
    if (!section.includes(`\r\na=mid:${mid}\r\n`) || opus === undefined) return section;
    // Twice 128 kbit/s would be too much: no redundancy, which is sent where it comes first.
    return formatted(preferring(section, opus), opus, () => MUSIC);
  });
}

function eachSection(sdp: string, shape: (section: string) => string): string {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => (section.startsWith('m=audio ') ? shape(section) : section))
    .join('');
}

function payloadType(section: string, codec: string): string | undefined {
  return new RegExp(`^a=rtpmap:(\\d+) ${codec}`, 'm').exec(section)?.[1];
}

function formatted(section: string, type: string, change: (format: string) => string): string {
  return section.replace(new RegExp(`^(a=fmtp:${type} )(.*?)(\\r?)$`, 'm'), (_, start, format, end) =>
    [start, change(format), end].join(''),
  );
}

function preferring(section: string, type: string): string {
  return section.replace(/^(m=audio \S+ \S+)((?: \d+)+)/, (_, start: string, types: string) => {
    const others = types.split(' ').filter((other) => other !== '' && other !== type);
    return [start, type, ...others].join(' ');
  });
}
