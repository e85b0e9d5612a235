/**
 * How long to wait before the next attempt to connect: full jitter, so that a house full of clients does not come back
 * in step after a restart of the server.
 */

const BASE_MS = 400;
const CAP_MS = 4_000;
/** Whoever is in the middle of a talk waits for every second of it. */
export const LIVELY_CAP_MS = 1_000;

/** `attempt` counts from 0; `random` is in [0, 1). */
export function backoffMs(attempt: number, random: number, cap = CAP_MS): number {
  const ceiling = Math.min(cap, BASE_MS * 2 ** Math.min(attempt, 16));
  return Math.round(random * ceiling);
}
