import { expect, it } from 'vitest';
import { playingStereo, sendingMusic } from './sound_sdp.ts';

const section = (mid: string, direction: string, types: string, format: string): string =>
  [
    `m=audio 9 UDP/TLS/RTP/SAVPF ${types}`,
    `a=mid:${mid}`,
    `a=${direction}`,
    'a=rtpmap:63 red/48000/2',
    'a=fmtp:63 111/111',
    'a=rtpmap:111 opus/48000/2',
    `a=fmtp:111 ${format}`,
    '',
  ].join('\r\n');
const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:9\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n';
const plain = 'minptime=10;useinbandfec=1';

it('all that is received may be stereo, and what is sent stays as it is', () => {
  const offer = (received: string): string =>
    ['v=0\r\n', section('0', 'sendonly', '111 63', plain), video, section('5', 'recvonly', '63 111', received)].join(
      '',
    );
  expect(playingStereo(offer(plain))).toBe(offer(`${plain};stereo=1`));
  expect(playingStereo(offer(`stereo=1;${plain}`))).toBe(offer(`stereo=1;${plain}`));
});

it('music is sent by the one microphone, in stereo and without redundancy', () => {
  const answer = (types: string, format: string): string =>
    ['v=0\r\n', section('0', 'recvonly', types, format), video, section('3', 'recvonly', '111 63', plain)].join('');
  const music = 'minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=128000';
  expect(sendingMusic(answer('63 111', `${plain};usedtx=1`), '0')).toBe(answer('111 63', music));
  expect(sendingMusic('v=0\r\n', '0')).toBe('v=0\r\n');
});
