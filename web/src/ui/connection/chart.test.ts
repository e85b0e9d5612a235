import { describe, expect, it } from 'vitest';
import { greatest, stretches } from './chart.ts';

describe('a line of a chart', () => {
  const table: [string, (number | undefined)[], string][] = [
    ['over all the width', [0, 5, 10], 'M0 50h0L50 25L100 0'],
    ['with a gap', [0, undefined, 10], 'M0 50h0M100 0h0'],
    ['cut at the top', [20], 'M0 0h0'],
    ['of nothing', [undefined, undefined], ''],
  ];
  it.each(table)('is drawn %s', (_what, values, path) => {
    expect(stretches(values, 10, 100, 50)).toBe(path);
  });

  it('has its greatest value', () => {
    expect(greatest([1, undefined, 3], [2])).toBe(3);
    expect(greatest([undefined])).toBe(0);
  });
});
