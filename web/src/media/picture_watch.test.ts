import { expect, it } from 'vitest';
import { type ExpectedPicture, PictureWatch } from './picture_watch.ts';
import type { VideoInSample } from './stats.ts';

/** What was said at which second; `decoded` by second, `expected` by second. */
function said(
  decoded: readonly (number | undefined)[],
  expected: (second: number) => readonly ExpectedPicture[],
): string[] {
  const watch = new PictureWatch();
  return decoded.flatMap((framesDecoded, second) => {
    const videosIn = framesDecoded === undefined ? [] : [{ slot: 2, framesDecoded } as unknown as VideoInSample];
    const missing = watch.look({ at: second * 1_000, videosIn }, expected(second));
    return missing.map(({ slot, generation }) => `${second} s: ${slot}:${generation}`);
  });
}

const ANN = [{ slot: 2, generation: 1 }];

it.each<[string, (number | undefined)[], (second: number) => readonly ExpectedPicture[], string[]]>([
  ['nothing ever comes', Array(8).fill(undefined), () => ANN, ['3 s: 2:1', '6 s: 2:1']],
  ['pictures come', [0, 5, 10, 15, 20, 25, 30], () => ANN, []],
  ['a slow picture still comes', [1, 1, 1, 2, 2, 2, 3, 3], () => ANN, []],
  ['they stop', [1, 2, 2, 2, 2, 2], () => ANN, ['4 s: 2:1']],
  ['nobody expects any', Array(8).fill(7), () => [], []],
  ['they are expected only later', Array(8).fill(7), (second) => (second < 3 ? [] : ANN), ['6 s: 2:1']],
  ['the slot changes hands', Array(6).fill(7), (second) => [{ slot: 2, generation: second < 2 ? 1 : 2 }], ['5 s: 2:2']],
  ['the sum begins anew', [90, 90, 90, 3, 3, 3], () => ANN, []],
])('%s', (_, decoded, expected, expectedSaid) => {
  expect(said(decoded, expected)).toEqual(expectedSaid);
});
