/**
 * Waiting with a deadline. Everything that takes time in a journey is asked for again and again until it holds, or the
 * error says what did not come. Nothing here sleeps for a fixed time.
 */

const PATIENCE_MS = 20_000;

/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Thrown while asking when asking again makes no sense. */
export class GiveUp extends Error {}

/**
 * Asks until the answer is neither false nor absent, and gives it back.
 * @template T
 * @param {string} what for the error
 * @param {() => T | Promise<T>} read
 * @param {{ timeoutMs?: number, everyMs?: number }} [options]
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, read, { timeoutMs = PATIENCE_MS, everyMs = 100 } = {}) {
  const deadline = Date.now() + timeoutMs;
  /** @type {unknown} */
  let last;
  for (;;) {
    try {
      const value = await read();
      if (value) return value;
      last = value;
    } catch (error) {
      if (error instanceof GiveUp) throw error;
      last = error;
    }
    if (Date.now() > deadline) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}; last seen: ${seen}`);
    }
    await pause(everyMs);
  }
}

/**
 * Asks until the answer equals what is expected (as JSON).
 * @template T
 * @param {string} what
 * @param {T} expected
 * @param {() => T | Promise<T>} read
 * @param {{ timeoutMs?: number, everyMs?: number }} [options]
 */
export async function untilEqual(what, expected, read, options) {
  /** @type {T | undefined} */
  let last;
  try {
    await until(what, async () => {
      last = await read();
      return JSON.stringify(last) === JSON.stringify(expected);
    }, options);
  } catch {
    throw new Error(`waited in vain for ${what}: expected ${JSON.stringify(expected)}, last seen ${JSON.stringify(last)}`);
  }
}

/**
 * Holds a promise to a deadline.
 * @template T
 * @param {string} what
 * @param {number} timeoutMs
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export async function within(what, timeoutMs, promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return /** @type {T} */ (await Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks for a while and fails as soon as the answer is not what it must stay.
 * @param {string} what
 * @param {number} forMs
 * @param {() => boolean | Promise<boolean>} read
 */
export async function staysTrue(what, forMs, read) {
  const end = Date.now() + forMs;
  do {
    if (!(await read())) throw new Error(`${what} did not stay so`);
    await pause(100);
  } while (Date.now() < end);
}
