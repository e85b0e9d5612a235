/** A model that asks the server for things: one at a time, and what goes wrong becomes part of the state. */

import { problemFrom } from './problem.ts';
import type { Problem } from './screens.ts';
import { type Patch, Store } from './store.ts';

export interface WorkState {
  readonly busy: boolean;
  readonly problem?: Problem;
}

/** What is told to whoever owns the page: the session is over. */
export type SignedOut = () => void;

export abstract class Work<T extends WorkState> extends Store<T> {
  readonly #signedOut: SignedOut;

  constructor(state: T, signedOut: SignedOut = () => {}) {
    super(state);
    this.#signedOut = signedOut;
  }

  /** What `task` gave, or undefined: it was refused, or something else is still under way. */
  protected async attempt<R>(task: () => Promise<R>): Promise<R | undefined> {
    if (this.state.busy) return undefined;
    this.#say({ busy: true, problem: undefined });
    const result = await this.guard(task);
    this.#say({ busy: false });
    return result;
  }

  /** The same for what may go on beside other things. */
  protected async guard<R>(task: () => Promise<R>): Promise<R | undefined> {
    try {
      return await task();
    } catch (error) {
      const problem = problemFrom(error);
      this.#say({ problem });
      if (problem.code === 'sign_in_required') this.#signedOut();
      return undefined;
    }
  }

  #say(fields: Patch<WorkState>): void {
    this.patch(fields as Patch<T>);
  }
}
