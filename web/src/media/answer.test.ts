import { expect, it } from 'vitest';
import { withStartBitrate } from './answer.ts';

it('pictures begin with more than the browser dares, and nothing else changes', () => {
  const before =
    'v=0\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n';
  expect(withStartBitrate(before).split('\r\n')).toEqual([
    'v=0',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:96 VP8/90000',
    'a=fmtp:96 x-google-start-bitrate=1000',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    '',
  ]);
});
