import { describe, expect, it } from 'vitest';
import { beginBudget, budgetAfter, LADDER, type Strain, strainOf } from './budget.ts';
import type { Sample } from './stats.ts';

const CALM: Strain = { sending: false, receiving: false, pressed: false };
const SENDING: Strain = { ...CALM, sending: true };
const RECEIVING: Strain = { ...CALM, receiving: true };
const PRESSED: Strain = { ...CALM, pressed: true };

/** The steps that were taken, with the second of each. */
function steps(seconds: number, strain: (second: number, step: number) => Strain): string[] {
  let state = beginBudget(0);
  const taken: string[] = [];
  for (let second = 1; second <= seconds; second++) {
    const next = budgetAfter(state, second * 1_000, strain(second, state.step));
    if (next.step !== state.step) taken.push(`${second}:${next.step}`);
    state = next;
  }
  return taken;
}

describe('the ladder', () => {
  it.each<[string, number, (second: number, step: number) => Strain, string[]]>([
    ['stays up while all is well', 60, () => CALM, []],
    ['is not left for a hiccup', 60, (second) => (second % 10 < 2 ? SENDING : CALM), []],
    ['goes down for sending as far as that helps', 60, () => SENDING, ['6:1', '12:2']],
    ['goes down to the end for receiving', 60, () => RECEIVING, ['6:1', '12:2', '18:3', '24:4', '30:5']],
    ['goes down one step for a system that is busy otherwise', 60, () => PRESSED, ['6:1']],
    [
      'is climbed back to that one step while the system stays busy',
      90,
      (second) => (second < 20 ? { ...RECEIVING, pressed: true } : PRESSED),
      ['6:1', '12:2', '18:3', '39:2', '59:1'],
    ],
    ['stops where it is enough', 30, (_, step) => (step < 1 ? SENDING : CALM), ['6:1', '26:0']],
    ['is climbed step by step', 60, (second) => (second < 14 ? SENDING : CALM), ['6:1', '12:2', '33:1', '53:0']],
    [
      'is climbed later each time that it was too much',
      130,
      (_, step) => (step < 1 ? SENDING : CALM),
      ['6:1', '26:0', '32:1', '72:0', '78:1'],
    ],
  ])('%s', (_, seconds, strain, expected) => {
    expect(steps(seconds, strain)).toEqual(expected);
  });

  it('gives up layers first, then frames, then the size and the number of faces', () => {
    const [full, ...rest] = LADDER;
    const given = rest.map((step) =>
      (['layers', 'fps', 'scale', 'most'] as const).filter((key) => full && step[key] < full[key]).join(' '),
    );
    expect(given).toEqual([
      'layers',
      'layers fps',
      'layers fps scale',
      'layers fps scale most',
      'layers fps scale most',
    ]);
  });
});

describe('strain', () => {
  const base = { connection: 'c', videosIn: [], videosOut: [] };
  const sample = (values: object): Sample => ({ ...base, ...values }) as unknown as Sample;
  const decoded = (
    framesDecoded: number,
    decodeMs: number,
    framesDropped: number,
    framesReceived = framesDecoded,
  ): Sample => sample({ videosIn: [{ slot: 2, framesReceived, framesDecoded, decodeMs, framesDropped, fps: 25 }] });
  const encoded = (framesEncoded: number, encodeMs: number, limitation?: string): Sample =>
    sample({ videosOut: [{ source: 'camera', rid: 'q', framesEncoded, encodeMs, fps: framesEncoded, limitation }] });

  it.each<[string, Sample | undefined, Sample, boolean, Strain]>([
    ['nothing flows', sample({}), sample({}), false, CALM],
    ['decoding is quick', decoded(0, 0, 0), decoded(25, 250, 0), false, CALM],
    ['decoding takes the time of a frame and is behind', decoded(0, 0, 0), decoded(25, 1_000, 0, 29), false, RECEIVING],
    ['decoding takes long and keeps up', decoded(0, 0, 0), decoded(25, 1_000, 0), false, CALM],
    ['frames are dropped', decoded(0, 0, 0), decoded(20, 100, 5), false, RECEIVING],
    ['one of few frames was dropped', decoded(0, 0, 0), decoded(2, 10, 1), false, CALM],
    ['encoding is quick', encoded(0, 0), encoded(30, 300, 'none'), false, CALM],
    ['encoding takes the time of a frame', encoded(0, 0), encoded(12, 900, 'none'), false, SENDING],
    ['encoding takes long and keeps up', encoded(0, 0), encoded(30, 1_200, 'none'), false, CALM],
    ['the browser says so', undefined, encoded(30, 0, 'cpu'), false, SENDING],
    ['the line is thin, which is another matter', encoded(0, 0), encoded(30, 300, 'bandwidth'), false, CALM],
    ['the system says so', sample({}), sample({}), true, PRESSED],
    ['it was another connection', { ...decoded(0, 0, 0), connection: 'b' }, decoded(25, 1_000, 9), false, CALM],
  ])('%s', (_, before, now, pressure, expected) => {
    expect(strainOf(before, now, pressure)).toEqual(expected);
  });
});
