/**
 * Our own sounds: a ring, a ring-back tone and one for a call that came to nothing, made of sine waves. A browser that
 * plays nothing before a click keeps its context suspended: then nothing is queued, so that nothing sounds late.
 */

import type { Clock } from './clock.ts';

interface Note {
  readonly hz: number;
  /** Seconds from the beginning of the melody. */
  readonly at: number;
  readonly for: number;
}

interface Melody {
  readonly notes: readonly Note[];
  readonly loudness: number;
  /** From beginning to beginning; absent for what sounds once. */
  readonly everyMs?: number;
}

/** A door bell over a fifth, twice. */
const RING: Melody = {
  loudness: 0.22,
  everyMs: 2_800,
  notes: [
    { hz: 659.3, at: 0, for: 0.5 },
    { hz: 987.8, at: 0.18, for: 0.5 },
    { hz: 784, at: 0.36, for: 0.9 },
    { hz: 659.3, at: 0.9, for: 0.5 },
    { hz: 987.8, at: 1.08, for: 0.5 },
    { hz: 784, at: 1.26, for: 0.9 },
  ],
};

const RING_BACK: Melody = {
  loudness: 0.08,
  everyMs: 4_000,
  notes: [
    { hz: 392, at: 0, for: 1.1 },
    { hz: 493.9, at: 0.02, for: 1.1 },
  ],
};

const OVER: Melody = {
  loudness: 0.1,
  notes: [
    { hz: 392, at: 0, for: 0.25 },
    { hz: 311.1, at: 0.22, for: 0.4 },
  ],
};

/** Long enough for the longest melody that sounds once. */
const ONCE_MS = 1_000;
const ATTACK_S = 0.015;
/** How often one looks whether a suspended context may play by now. */
const LOOK_MS = 250;

export class BrowserTones {
  readonly #clock: Clock;
  readonly #newContext: () => AudioContext;

  constructor(clock: Clock, newContext: () => AudioContext) {
    this.#clock = clock;
    this.#newContext = newContext;
  }

  ring(): () => void {
    return this.#play(RING);
  }

  ringBack(): () => void {
    return this.#play(RING_BACK);
  }

  over(): void {
    const stop = this.#play(OVER);
    this.#clock.after(ONCE_MS, stop);
  }

  #play(melody: Melody): () => void {
    let context: AudioContext;
    try {
      context = this.#newContext();
    } catch {
      return () => {};
    }
    // Without a click, or without a sound device, this may never settle: nothing waits for it.
    context.resume().catch(() => {});
    let cancel = (): void => {};
    const next = (): void => {
      const running = context.state === 'running';
      if (running) schedule(context, melody);
      const again = running ? melody.everyMs : LOOK_MS;
      if (again !== undefined) cancel = this.#clock.after(again, next);
    };
    next();
    return () => {
      cancel();
      // Takes all that sounds with it, at once.
      context.close().catch(() => {});
    };
  }
}

function schedule(context: AudioContext, { loudness, notes }: Melody): void {
  for (const note of notes) {
    const begin = context.currentTime + note.at;
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = note.hz;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(loudness, begin + ATTACK_S);
    gain.gain.exponentialRampToValueAtTime(0.0001, begin + note.for);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(begin);
    oscillator.stop(begin + note.for);
  }
}
