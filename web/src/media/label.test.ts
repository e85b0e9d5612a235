import { describe, expect, it } from 'vitest';
import { assigned, drawn, type Label, reached, stale } from './label.ts';

const anna = { slot: 0, generation: 1, participant: 'anna' };
const ben = { slot: 0, generation: 2, participant: 'ben' };

function after(label: Label, ...frames: number[]): boolean {
  return frames.reduce(drawn, label).visible;
}

describe('RTP timestamps', () => {
  it.each([
    [100, 100, true],
    [101, 100, true],
    [99, 100, false],
    [5, 0xffff_fff0, true],
    [0xffff_fff0, 5, false],
  ])('%i has reached %i: %s', (rtp, first, expected) => {
    expect(reached(rtp, first)).toBe(expected);
  });
});

describe('a label', () => {
  it('is not shown before the server told the first frame, however many are drawn', () => {
    expect(after(assigned(undefined, anna), 10, 20, 30)).toBe(false);
  });

  it('is shown from the first frame of its person on, not over an older one', () => {
    const label = assigned(undefined, { ...ben, first_rtp_timestamp: 500 });
    expect(after(label, 400, 499)).toBe(false);
    expect(after(label, 499, 500)).toBe(true);
    expect(after(label, 501)).toBe(true);
  });

  it('is shown at once when the frame was drawn before the word came', () => {
    const label = drawn(assigned(undefined, anna), 700);
    expect(assigned(label, { ...anna, first_rtp_timestamp: 650 }).visible).toBe(true);
    expect(assigned(label, { ...anna, first_rtp_timestamp: 701 }).visible).toBe(false);
  });

  it('goes with a new generation and takes nothing along', () => {
    const shown = drawn(assigned(undefined, { ...anna, first_rtp_timestamp: 100 }), 100);
    expect(shown.visible).toBe(true);
    const next = assigned(shown, ben);
    expect(next).toEqual({ generation: 2, participant: 'ben', visible: false });
    expect(after(next, 90_000)).toBe(false);
  });

  it('stays when the same word is said again', () => {
    const shown = drawn(assigned(undefined, { ...anna, first_rtp_timestamp: 100 }), 100);
    expect(assigned(shown, { ...anna, first_rtp_timestamp: 100 })).toBe(shown);
    expect(assigned(shown, anna)).toBe(shown);
  });

  it('waits for the next frame when the picture has become old', () => {
    const shown = drawn(assigned(undefined, { ...anna, first_rtp_timestamp: 100 }), 100);
    const old = stale(shown);
    expect(old.visible).toBe(false);
    expect(assigned(old, { ...anna, first_rtp_timestamp: 100 }).visible).toBe(false);
    expect(after(old, 9_000)).toBe(true);
  });
});
