// The colours of the three token sets against each other, by WCAG 2.2: 4.5 for text, 3 for marks and edges.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const light = tokens(block(/:root \{([^}]*)\}/));
const dark = { ...light, ...tokens(block(/@media[^{]*\{\s*:root \{([^}]*)\}/)) };
const stage = { ...light, ...tokens(block(/\.stage \{([^}]*)\}/)) };

const pairs: [front: string, back: string, least: number][] = [
  ['ink', 'paper', 4.5],
  ['ink', 'surface', 4.5],
  ['muted', 'paper', 4.5],
  ['muted', 'surface', 4.5],
  ['on-ink', 'ink', 4.5],
  ['on-call', 'call', 4.5],
  ['on-stop', 'stop', 4.5],
  ['stop', 'surface', 3],
  ['call', 'surface', 3],
  ['lamp', 'paper', 3],
  ['lamp', 'surface', 3],
  ['field', 'paper', 3],
  ['field', 'surface', 3],
  ['focus', 'paper', 3],
  ['focus', 'surface', 3],
];

describe.each([
  ['light', light],
  ['dark', dark],
  ['stage', stage],
])('the %s tokens', (_, set) => {
  it.each(pairs)('show %s on %s with a contrast of at least %d', (front, back, least) => {
    expect(contrast(color(set, front), color(set, back))).toBeGreaterThanOrEqual(least);
  });
});

function block(pattern: RegExp): string {
  const found = pattern.exec(css)?.[1];
  if (found === undefined) throw new Error(`tokens.css has no ${pattern}`);
  return found;
}

function tokens(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value]));
}

function color(set: Record<string, string>, name: string): string {
  const value = set[name];
  if (value === undefined) throw new Error(`no token ${name}`);
  return value;
}

function contrast(a: string, b: string): number {
  const [bright, dim] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (bright + 0.05) / (dim + 0.05);
}

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
