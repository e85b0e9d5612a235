/** Time as an argument: tests turn it by hand. */

export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Calls once after `ms`; the returned function calls it off. */
  after(ms: number, callback: () => void): () => void;
}
