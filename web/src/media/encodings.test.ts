import { describe, expect, it } from 'vitest';
import {
  cameraEncodings,
  type Encoding,
  inOneStream,
  type Line,
  lineOf,
  type Sending,
  scalabilityMode,
  screenEncodings,
  videoCodecs,
} from './encodings.ts';

const ALL: Sending = { wanted: undefined, layers: 3, fps: 30, line: 2 };
const HD = { width: 1280, height: 720 };

/** Of each layer: scale, and kbit/s while it is on. */
function shown(encodings: readonly Encoding[]): string {
  return encodings
    .map(({ active, scaleResolutionDownBy, maxBitrate }) =>
      active ? `${scaleResolutionDownBy}:${maxBitrate / 1_000}` : `${scaleResolutionDownBy}:off`,
    )
    .join(' ');
}

describe('of a camera', () => {
  it.each([
    [1280, 720, '4:120 2:420 1:1160'],
    [720, 1280, '4:120 2:420 1:1160'],
    [640, 360, '2:120 1:420 1:off'],
    [640, 480, '2:120 1:420 1:off'],
    [320, 180, '1:120 1:off 1:off'],
  ])('a picture of %i × %i is sent as %s', (width, height, expected) => {
    expect(shown(cameraEncodings({ width, height }, ALL, false))).toBe(expected);
  });

  it.each([
    ['everything', ['q', 'h', 'f'], 3, '4:120 2:420 1:1160'],
    ['nothing', [], 3, '4:off 2:off 1:off'],
    ['the largest alone, with all the bits', ['f'], 3, '4:off 2:off 1:1700'],
    ['the smallest and the largest', ['q', 'f'], 3, '4:120 2:off 1:1580'],
    ['the largest, of a device that bears two', ['f'], 2, '4:off 2:420 1:off'],
    ['the two largest, of a device that bears one', ['h', 'f'], 1, '4:120 2:off 1:off'],
    ['a layer that nobody knows', ['x'], 3, '4:off 2:off 1:off'],
  ])('somebody wants %s', (_, wanted, layers, expected) => {
    expect(shown(cameraEncodings(HD, { ...ALL, wanted, layers }, false))).toBe(expected);
  });

  it('the full size of a small picture is sent to whoever wants a larger one', () => {
    expect(shown(cameraEncodings({ width: 640, height: 360 }, { ...ALL, wanted: ['f'] }, false))).toBe(
      '2:off 1:420 1:off',
    );
  });

  it.each([
    [2 as const, ['f'], '4:off 2:off 1:1700'],
    [1 as const, ['f'], '4:off 2:420 1:1280'],
    [0 as const, ['f'], '4:120 2:off 1:1580'],
    [0 as const, ['q', 'f'], '4:120 2:off 1:1580'],
    [1 as const, ['h'], '4:off 2:420 1:off'],
    [0 as const, ['h'], '4:120 2:420 1:off'],
    [0 as const, [], '4:off 2:off 1:off'],
  ])('over a line that bears layer %i alone, %j is sent as %s', (line, wanted, expected) => {
    expect(shown(cameraEncodings(HD, { ...ALL, wanted, line }, false))).toBe(expected);
  });

  it('all layers together stay below two megabits, whatever is wanted, and take more only between two', () => {
    const rids = ['q', 'h', 'f'];
    for (let bits = 1; bits < 8; bits++) {
      const wanted = rids.filter((_, i) => bits & (1 << i));
      const sum = cameraEncodings(HD, { ...ALL, wanted }, false)
        .filter(({ active }) => active)
        .reduce((all, { maxBitrate }) => all + maxBitrate, 0);
      expect(sum).toBeLessThanOrEqual(1_700_000);
    }
    expect(shown(cameraEncodings(HD, { ...ALL, wanted: ['f'] }, true))).toBe('4:off 2:off 1:2200');
  });

  it('a device that bears less sends fewer frames', () => {
    const frames = cameraEncodings(HD, { ...ALL, fps: 15 }, false).map(({ maxFramerate }) => maxFramerate);
    expect(frames).toEqual([15, 15, 15]);
  });
});

describe('of a camera in one stream', () => {
  it.each([
    [['q', 'h', 'f'], '1:1700 2:off 1:off', 'L3T3_KEY'],
    [['q', 'h'], '2:540 2:off 1:off', 'L2T3_KEY'],
    [['h', 'f'], '1:1700 2:off 1:off', 'L3T3_KEY'],
    [['q', 'f'], '1:1700 2:off 1:off', 'L3T3_KEY'],
    [['f'], '4:off 2:off 1:1700', 'L1T3'],
    [['q'], '4:120 2:off 1:off', 'L1T3'],
    [[], '4:off 2:off 1:off', 'L1T3'],
  ])('%j is sent as %s, in %s', (wanted, expected, mode) => {
    const encodings = inOneStream(cameraEncodings(HD, { ...ALL, wanted }, false));
    expect(shown(encodings)).toBe(expected);
    expect(encodings.map(scalabilityMode)).toEqual([mode, 'L1T3', 'L1T3']);
  });

  it('a small picture has two sizes', () => {
    const encodings = inOneStream(cameraEncodings({ width: 640, height: 360 }, ALL, false));
    expect([shown(encodings), encodings.map(scalabilityMode)[0]]).toEqual(['1:540 1:off 1:off', 'L2T3_KEY']);
  });
});

it('VP8 is offered before the others, and of those the kind that everybody can show', () => {
  const codec = (mimeType: string, sdpFmtpLine?: string): RTCRtpCodec =>
    ({ mimeType, clockRate: 90_000, ...(sdpFmtpLine ? { sdpFmtpLine } : {}) }) as RTCRtpCodec;
  const codecs = [
    codec('video/VP9', 'profile-id=2'),
    codec('video/AV1', 'level-idx=5;profile=1;tier=0'),
    codec('video/AV1', 'level-idx=5;profile=0;tier=0'),
    codec('video/H264'),
    codec('video/VP9', 'profile-id=0'),
    codec('video/rtx'),
    codec('video/VP8'),
  ];
  const offered = videoCodecs({ codecs, headerExtensions: [] });
  expect(offered.map(({ mimeType, sdpFmtpLine = '' }) => `${mimeType} ${sdpFmtpLine}`.trim())).toEqual([
    'video/VP8',
    'video/VP9 profile-id=0',
    'video/AV1 level-idx=5;profile=0;tier=0',
    'video/rtx',
  ]);
});

describe('of a screen', () => {
  it.each([
    ['text' as const, 2 as const, undefined, '2:500 1:6000', 15],
    ['motion' as const, 2 as const, ['f'], '2:off 1:5000', 30],
    ['text' as const, 2 as const, ['h'], '2:500 1:off', 15],
    ['text' as const, 2 as const, [], '2:off 1:off', 15],
    ['text' as const, 1 as const, ['f'], '2:500 1:6000', 15],
    ['text' as const, 0 as const, ['f'], '1:500 1:off', 15],
    ['motion' as const, 0 as const, ['h', 'f'], '2:500 1:off', 30],
    ['text' as const, 0 as const, [], '1:off 1:off', 15],
  ])('%s over a line of %i, wanted %j, is sent as %s with %i frames', (mode, line, wanted, expected, fps) => {
    const encodings = screenEncodings(mode, { ...ALL, wanted, line });
    expect(shown(encodings)).toBe(expected);
    expect(encodings.map(({ maxFramerate }) => maxFramerate)).toEqual([fps, fps]);
  });
});

it('a line is trusted late and mistrusted late', () => {
  const table: [Line, number | undefined, Line][] = [
    [1, undefined, 1],
    [1, 300_000, 1],
    [1, 200_000, 0],
    [0, 300_000, 0],
    [0, 450_000, 1],
    [1, 1_900_000, 1],
    [1, 2_000_000, 2],
    [0, 5_000_000, 2],
    [2, 1_300_000, 2],
    [2, 1_100_000, 1],
    [2, 100_000, 0],
  ];
  for (const [before, bps, expected] of table)
    expect([before, bps, lineOf(before, bps)]).toEqual([before, bps, expected]);
});
