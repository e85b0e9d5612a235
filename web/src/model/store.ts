/**
 * A value that can be watched: how every model shows its state. The state is immutable: a change is a new object.
 * `subscribe` follows the Svelte store contract (calls at once with the current state, then on every change), without
 * knowing Svelte.
 */

export interface Readable<T> {
  readonly state: T;
  subscribe(listener: (state: T) => void): () => void;
}

export class Store<T> implements Readable<T> {
  #state: T;
  readonly #listeners = new Set<(state: T) => void>();

  constructor(state: T) {
    this.#state = state;
  }

  get state(): T {
    return this.#state;
  }

  subscribe(listener: (state: T) => void): () => void {
    // A wrapper of its own, so that the same function may subscribe twice.
    const entry = (state: T): void => listener(state);
    this.#listeners.add(entry);
    entry(this.#state);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  set(state: T): void {
    if (Object.is(state, this.#state)) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }

  /** Changes some fields; nothing happens when they are the same already. */
  patch(fields: Partial<T>): void {
    const keys = Object.keys(fields) as (keyof T)[];
    if (keys.every((key) => Object.is(fields[key], this.#state[key]))) return;
    this.set({ ...this.#state, ...fields });
  }
}
