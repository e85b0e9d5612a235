/**
 * Whether the path to the server lives, judged by what comes in over it, and what to try when. Browsers call a dead path
 * `disconnected` after seven seconds, and some deaths nothing at all. Owns no connection; time and chance are arguments.
 */

import { growth, type PathSample, SAMPLE_MS, type Sample } from './stats.ts';

/** A path over which something came all the time is dead after so long without. */
const QUIET_MS = 1_700;
/** After a hint that the network changed. */
const QUIET_AFTER_HINT_MS = 700;
const HINT_COUNTS_MS = 4_000;
/** Where nobody sends, checks go to and fro every few seconds: so many in vain, or so long without any. */
const UNANSWERED_CHECKS = 3;
const LONELY_QUIET_MS = 6_000;
/** Something comes all the time if it did for so long without a gap of more than so much. */
const STEADY_MS = 3_000;
const GAP_MS = 1_300;
/** Between two samples that far apart, the page slept. */
const SLEPT_MS = 2 * SAMPLE_MS;
/** How soon to look again at a path in doubt. */
export const DOUBT_MS = 250;

export class PathWatch {
  #path: PathSample | undefined;
  #seenAt: number;
  #heardAt: number;
  #steadySince: number;
  /** Checks sent when something came last. */
  #asked = 0;
  #hintAt = Number.NEGATIVE_INFINITY;

  constructor(now: number) {
    this.#seenAt = now;
    this.#heardAt = now;
    this.#steadySince = now;
  }

  /** Another path, or one that just came up. */
  renew(now: number): void {
    this.#path = undefined;
    this.#seenAt = now;
    this.#heardAt = now;
    this.#steadySince = now;
  }

  /** The network may have changed: look more closely for a while. */
  hint(now: number): void {
    this.#hintAt = now;
  }

  see({ at, path }: Sample): void {
    const [before, since] = [this.#path, this.#seenAt];
    this.#path = path;
    this.#seenAt = at;
    if (at - since > SLEPT_MS) {
      // A page that slept heard nothing because it did not listen.
      this.renew(at);
      return;
    }
    if (!path || !before || !came(before, path)) return;
    const heardAt = Math.max(this.#heardAt, at - Math.min(path.silentMs ?? 0, at - since));
    if (heardAt - this.#heardAt > GAP_MS) this.#steadySince = heardAt;
    this.#heardAt = heardAt;
    this.#asked = path.requestsSent ?? 0;
  }

  quietMs(now: number): number {
    return now - this.#heardAt;
  }

  isDead(now: number): boolean {
    const quiet = this.quietMs(now);
    if (quiet >= LONELY_QUIET_MS) return true;
    if (this.#isSteady) return quiet >= this.#patience(now);
    return quiet >= QUIET_MS && (this.#path?.requestsSent ?? 0) - this.#asked >= UNANSWERED_CHECKS;
  }

  /** Worth a closer look than once a second. */
  isInDoubt(now: number): boolean {
    if (now - this.#hintAt < HINT_COUNTS_MS) return true;
    return this.#isSteady && this.quietMs(now) >= DOUBT_MS && !this.isDead(now);
  }

  get #isSteady(): boolean {
    return this.#heardAt - this.#steadySince >= STEADY_MS;
  }

  #patience(now: number): number {
    return now - this.#hintAt < HINT_COUNTS_MS ? QUIET_AFTER_HINT_MS : QUIET_MS;
  }
}

function came(before: PathSample, after: PathSample): boolean {
  if (growth(before.responsesReceived, after.responsesReceived)) return true;
  return after.bytesReceived !== undefined && after.bytesReceived !== before.bytesReceived;
}

export type Remedy = 'restart' | 'replace';

const FIRST_WAIT_MS = 3_000;
const LONGEST_WAIT_MS = 15_000;

/** What is tried in turn, with growing pauses and some jitter: first the same connection over another path, then another one. */
export class Recovery {
  #tries = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  /** What to try now, if anything. @param random in [0, 1) */
  next(now: number, random: number): Remedy | undefined {
    if (now < this.#notBefore) return undefined;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(this.#tries, 8), LONGEST_WAIT_MS);
    this.#notBefore = now + wait * (0.75 + random / 2);
    this.#tries++;
    return this.#tries === 1 ? 'restart' : 'replace';
  }

  /** The path lives. The pause stays: a path that comes and goes is not restarted all the time. */
  over(): void {
    this.#tries = 0;
  }

  /** Whoever asks for it by hand does not wait. */
  hurry(): void {
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }
}
