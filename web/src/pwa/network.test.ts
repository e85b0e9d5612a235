import { describe, expect, it } from 'vitest';
import { browserFamily, networkKind } from './network.ts';

describe('the network', () => {
  const table: [string, unknown, string | undefined][] = [
    ['is not told', {}, undefined],
    ['is not told in full', { connection: { effectiveType: '4g' } }, undefined],
    ['is Wi-Fi', { connection: { type: 'wifi' } }, 'wifi'],
    ['is something else', { connection: { type: 'bluetooth' } }, 'other'],
    ['is not known', { connection: { type: 'unknown' } }, undefined],
  ];
  it.each(table)('%s', (_what, navigator, kind) => {
    expect(networkKind(navigator as Navigator)).toBe(kind);
  });
});

describe('the browser', () => {
  const table: [string, string][] = [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'firefox'],
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36', 'chromium'],
    ['Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15', 'safari'],
    ['curl/8', 'other'],
  ];
  it.each(table)('%s', (userAgent, family) => {
    expect(browserFamily(userAgent)).toBe(family);
  });
});
