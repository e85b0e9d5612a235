/** Set-up and sign-in: the two forms that lead into the house, and the page after a meeting. */

import type { Http } from '../session/http.ts';
import { problemFrom } from './problem.ts';
import type { LeftScreen, LeftState, SetupScreen, SetupState, SignInScreen, SignInState } from './screens.ts';
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

export class SignInModel extends Store<SignInState> implements SignInScreen {
  readonly #http: Http;
  readonly #done: () => void;

  constructor(http: Http, roomName: string | undefined, done: () => void) {
    super({ busy: false, ...(roomName ? { roomName } : {}) });
    this.#http = http;
    this.#done = done;
  }

  submit(credentials: { username: string; password: string }): void {
    if (this.state.busy) return;
    this.patch({ busy: true, problem: undefined });
    this.#http.signIn(credentials).then(
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
