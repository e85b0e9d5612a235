/** The form that makes the first account, and the page after a meeting. */

import type { Http } from '../session/http.ts';
import { problemFrom } from './problem.ts';
import type { LeftScreen, LeftState, SetupScreen, SetupState } from './screens.ts';
import { Store } from './store.ts';

export class SetupModel extends Store<SetupState> implements SetupScreen {
  readonly #http: Http;
  readonly #token: string | undefined;
  readonly #done: () => void;

  constructor(http: Http, token: string | undefined, done: () => void) {
    super({ hasToken: token !== undefined, busy: false });
    this.#http = http;
    this.#token = token;
    this.#done = done;
  }

  submit(account: { username: string; name: string; password: string }): void {
    const token = this.#token;
    if (this.state.busy || token === undefined) return;
    this.patch({ busy: true, problem: undefined });
    this.#http.setUp({ token, ...account }).then(
      () => this.#done(),
      (error) => this.patch({ busy: false, problem: problemFrom(error) }),
    );
  }
}

export class LeftModel extends Store<LeftState> implements LeftScreen {
  readonly #onJoinAgain: () => void;
  readonly #onHome: () => void;

  constructor(state: LeftState, onJoinAgain: () => void, onHome: () => void) {
    super(state);
    this.#onJoinAgain = onJoinAgain;
    this.#onHome = onHome;
  }

  joinAgain(): void {
    this.#onJoinAgain();
  }

  goHome(): void {
    this.#onHome();
  }
}
