/** The form that makes the first account, and the page after a meeting. */

import type { Clock } from '../session/clock.ts';
import type { Http } from '../session/http.ts';
import type { StayLine } from './connection/screens.ts';
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

export interface LeftPorts {
  readonly clock: Clock;
  joinAgain(): void;
  goHome(): void;
  /** How the connection of the stay was, if the house knows already. */
  lastStay(): Promise<StayLine | undefined>;
}

const ASKS_MS = [400, 1_000, 3_000];

export class LeftModel extends Store<LeftState> implements LeftScreen {
  readonly #ports: LeftPorts;
  #cancel = (): void => {};

  constructor(state: LeftState, ports: LeftPorts) {
    super(state);
    this.#ports = ports;
    if (state.viewer === 'account' && state.reason !== 'session_ended') this.#askForStay(ASKS_MS);
  }

  joinAgain(): void {
    this.#ports.joinAgain();
  }

  goHome(): void {
    this.#ports.goHome();
  }

  close(): void {
    this.#cancel();
  }

  /** The house stores it a moment after one has left. */
  #askForStay([wait, ...more]: readonly number[]): void {
    if (wait === undefined) return;
    this.#cancel = this.#ports.clock.after(wait, () => {
      this.#ports.lastStay().then(
        (connection) => (connection ? this.patch({ connection }) : this.#askForStay(more)),
        () => {},
      );
    });
  }
}
