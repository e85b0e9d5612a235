/** How long it takes from one person's mouth to another's ear. */

/** Tones begin so often. */
const TONE_MS = 500;

/**
 * What the tones of some seconds took, in ms. `least`: no way is shorter than that; without it, none is longer than a tone
 * is away from the next.
 * @param {import('./person.mjs').Person} speaker @param {import('./person.mjs').Person} listener
 * @param {{ ms?: number, least?: number }} [how]
 */
export async function fromMouthToEar(speaker, listener, { ms = 6000, least = 0 } = {}) {
  const [spoken, heard] = await Promise.all([
    speaker.onsets('mouth', speaker.name, ms),
    listener.onsets('ear', speaker.name, ms),
  ]);
  // What is heard belongs to the last tone that was spoken before.
  return heard.flatMap((arrived) => {
    const began = spoken.filter((at) => at < arrived - least).at(-1);
    return began !== undefined && arrived - began - least < TONE_MS - 50 ? [arrived - began] : [];
  });
}

/** The smallest of the values that so many per cent do not exceed. @param {number[]} values @param {number} share */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * share) / 100) - 1] ?? Number.NaN;
}
