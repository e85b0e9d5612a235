/**
 * What this device bears. Watches whether it keeps up with what it encodes and decodes, gives up the least important
 * first (own layers, then frames, then the size and number of others' faces), and tries after a while whether more is
 * possible again. Pure: samples in, a step of the
 * ladder out; the keeper holds the state of one stay.
 */

import { growth, type Sample, type VideoInSample, type VideoOutSample } from './stats.ts';

export interface Budget {
  /** Of the own camera. */
  readonly layers: number;
  readonly fps: number;
  /** Of received faces: the size of what is shown, and how many. */
  readonly scale: number;
  readonly most: number;
}

/** From everything to the least. */
export const LADDER: readonly Budget[] = [
  { layers: 3, fps: 30, scale: 1, most: Number.POSITIVE_INFINITY },
  { layers: 2, fps: 30, scale: 1, most: Number.POSITIVE_INFINITY },
  { layers: 2, fps: 15, scale: 1, most: Number.POSITIVE_INFINITY },
  { layers: 2, fps: 15, scale: 0.5, most: Number.POSITIVE_INFINITY },
  { layers: 2, fps: 15, scale: 0.5, most: 9 },
  { layers: 1, fps: 15, scale: 0.5, most: 4 },
];

/**
 * Only who cannot keep up with what comes in gives up some of that, and only who cannot keep up with sending sends fewer
 * frames: a system that is busy with something else gains nothing from either.
 */
const LAST_STEP: { readonly [K in keyof Strain]: number } = { pressed: 1, sending: 2, receiving: LADDER.length - 1 };

/** Of the last so many samples these many were strained: something is given up. */
const WINDOW = 5;
const STRAINED = 4;
/** A step needs time to show what it brought. */
const SETTLE_MS = 6_000;
/** So long all must have been well before more is tried; doubled each time that more was too much. */
const RECOVER_MS = 20_000;
const LONGEST_RECOVER_MS = 320_000;
/** Strain so soon after more was tried comes from that. */
const TRIAL_MS = 12_000;

/** A frame that takes more than so much of the time until the next one comes. */
const BUSY = 0.75;
const DROPPED = 0.15;
const FEWEST_FRAMES = 5;
/** Devices that work on several frames at once take long for each and still keep up: only these are late. */
const SLOW_FPS = 20;
const DECODED = 0.9;

export interface Strain {
  readonly sending: boolean;
  readonly receiving: boolean;
  /** The system says so of itself (Compute Pressure), where it says anything. */
  readonly pressed: boolean;
}

export function strainOf(before: Sample | undefined, now: Sample, pressed: boolean): Strain {
  const comparable = before && before.connection === now.connection ? before : undefined;
  const sent = now.videosOut.map((one) => ({
    one,
    old: comparable?.videosOut.find(({ source, rid }) => source === one.source && rid === one.rid),
  }));
  const received = now.videosIn.map((one) => ({
    one,
    old: comparable?.videosIn.find(({ slot }) => slot === one.slot),
  }));
  return {
    sending: sent.some(({ one, old }) => one.limitation === 'cpu' || encodesLate(old, one)),
    receiving: received.some(({ one, old }) => decodesLate(old, one)),
    pressed,
  };
}

function encodesLate(old: VideoOutSample | undefined, now: VideoOutSample): boolean {
  const slow = (now.fps ?? SLOW_FPS) < SLOW_FPS;
  return (
    slow && takesTooLong(growth(old?.encodeMs, now.encodeMs), growth(old?.framesEncoded, now.framesEncoded), now.fps)
  );
}

function decodesLate(old: VideoInSample | undefined, now: VideoInSample): boolean {
  const decoded = growth(old?.framesDecoded, now.framesDecoded);
  const dropped = growth(old?.framesDropped, now.framesDropped) ?? 0;
  const received = growth(old?.framesReceived, now.framesReceived) ?? 0;
  const behind = (decoded ?? 0) < DECODED * received;
  if (behind && takesTooLong(growth(old?.decodeMs, now.decodeMs), decoded, now.fps)) return true;
  const all = (decoded ?? 0) + dropped;
  return all >= FEWEST_FRAMES && dropped / all > DROPPED;
}

function takesTooLong(ms: number | undefined, frames: number | undefined, fps: number | undefined): boolean {
  if (ms === undefined || frames === undefined || frames < FEWEST_FRAMES || !fps) return false;
  return ms / frames > (BUSY * 1_000) / fps;
}

const KINDS = ['pressed', 'sending', 'receiving'] as const satisfies (keyof Strain)[];

export interface BudgetState {
  readonly step: number;
  readonly recent: readonly Strain[];
  /** When the step was taken, and since when nothing was strained. */
  readonly since: number;
  readonly calmSince: number;
  readonly recoverMs: number;
  /** The step was taken to try whether more is possible. */
  readonly trial: boolean;
}

export function beginBudget(at: number): BudgetState {
  return { step: 0, recent: [], since: at, calmSince: at, recoverMs: RECOVER_MS, trial: false };
}

export function budgetAfter(state: BudgetState, at: number, strain: Strain): BudgetState {
  const recent = [...state.recent, strain].slice(-WINDOW);
  const concerns = (kind: keyof Strain): boolean => strain[kind] && state.step <= LAST_STEP[kind];
  const strained = KINDS.some(concerns);
  const next: BudgetState = { ...state, recent, calmSince: strained ? at : state.calmSince };
  if (at - state.since < SETTLE_MS) return next;
  const lasts = (kind: keyof Strain): boolean => recent.filter((one) => one[kind]).length >= STRAINED;
  if (KINDS.some((kind) => lasts(kind) && state.step < LAST_STEP[kind])) return stepped(next, at, 1);
  if (state.step > 0 && at - next.calmSince >= state.recoverMs) return stepped(next, at, -1);
  const settled = state.trial && at - state.since > TRIAL_MS && !strained;
  return settled ? { ...next, trial: false, recoverMs: RECOVER_MS } : next;
}

function stepped(state: BudgetState, at: number, by: 1 | -1): BudgetState {
  const failed = by > 0 && state.trial && at - state.since <= TRIAL_MS;
  return {
    step: state.step + by,
    recent: [],
    since: at,
    calmSince: at,
    recoverMs: failed ? Math.min(LONGEST_RECOVER_MS, 2 * state.recoverMs) : state.recoverMs,
    trial: by < 0,
  };
}

/** Of one stay; told of every sample. */
export class BudgetKeeper {
  readonly #onStep: (budget: Budget, step: number, before: number) => void;
  #state: BudgetState | undefined;
  #before: Sample | undefined;
  /** What the system says of itself. */
  pressed = false;

  constructor(onStep: (budget: Budget, step: number, before: number) => void) {
    this.#onStep = onStep;
  }

  take(sample: Sample): void {
    const state = this.#state ?? beginBudget(sample.at);
    this.#state = budgetAfter(state, sample.at, strainOf(this.#before, sample, this.pressed));
    this.#before = sample;
    const { step } = this.#state;
    const budget = LADDER[step];
    if (step !== state.step && budget) this.#onStep(budget, step, state.step);
  }
}
