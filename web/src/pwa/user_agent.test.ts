import { expect, test } from 'vitest';
import { insideApp, installsByHand } from './user_agent.ts';

const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 15; Pixel 9';
const MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15';

test.each([
  ['Safari of an iPhone', `${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1`, true, 'ios', undefined],
  ['Chrome of an iPhone', `${IPHONE} CriOS/140.0 Mobile/15E148 Safari/604.1`, true, 'ios', undefined],
  ['Safari of an iPad that calls itself a Mac', MAC, true, 'ios', undefined],
  ['Safari of a Mac', MAC, false, undefined, undefined],
  ['a web view of an iPhone', `${IPHONE} Mobile/15E148`, true, undefined, 'ios'],
  ['Facebook on an iPhone', `${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/500.0]`, true, undefined, 'ios'],
  ['Instagram with Safari in its name', `${IPHONE} Version/18.5 Safari/604.1 Instagram 300.0`, true, undefined, 'ios'],
  ['Chrome of Android', `${ANDROID}) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36`, true, undefined, undefined],
  [
    'Firefox of Android',
    'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0',
    true,
    'firefox',
    undefined,
  ],
  [
    'a web view of Android',
    `${ANDROID}; wv) AppleWebKit/537.36 Version/4.0 Chrome/140.0 Mobile Safari/537.36`,
    true,
    undefined,
    'android',
  ],
  [
    'Instagram on Android',
    `${ANDROID}) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Instagram 300.0 Android`,
    true,
    undefined,
    'android',
  ],
  [
    'Firefox of a desktop',
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    false,
    undefined,
    undefined,
  ],
] as const)('%s', (_, userAgent, touches, byHand, inside) => {
  expect([installsByHand(userAgent, touches), insideApp(userAgent, touches)]).toEqual([byHand, inside]);
});
