/** Time as an argument; the same shape as the session layer's clock, which this layer does not know. */

export interface Clock {
  now(): number;
  /** Calls once after `ms`; the returned function calls it off. */
  after(ms: number, callback: () => void): () => void;
}
