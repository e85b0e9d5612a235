/**
 * A value that can be watched: how every model shows its state. The state is immutable: a change is a new object.
 * `subscribe` follows the Svelte store contract (calls at once with the current state, then on every change), without
 * knowing Svelte.
 */

export interface Readable<T> {
  readonly state: T;
  subscribe(listener: (state: T) => void): () => void;
}

/** Some fields; `undefined` takes an optional one away. */
export type Patch<T> = { [K in keyof T]?: T[K] | undefined };

/** A copy of `state` with `fields` changed, or `state` itself when nothing is different. */
export function patched<T extends object>(state: T, fields: Patch<T>): T {
  const keys = Object.keys(fields) as (keyof T)[];
  if (keys.every((key) => Object.is(fields[key], state[key]))) return state;
  const next = { ...state, ...fields } as T;
  for (const key of keys) if (next[key] === undefined) delete next[key];
  return next;
}

export class Store<T extends object> implements Readable<T> {
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

  patch(fields: Patch<T>): void {
    this.set(patched(this.#state, fields));
  }
}
