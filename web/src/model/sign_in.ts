/**
 * Signing in: the form with its second step, a passkey by button or from the form's field, and the buttons of outside
 * providers. Where it leads afterwards is up to whoever opened it.
 */

import type { SignInStep } from '../protocol/generated.ts';
import type { Http } from '../session/http.ts';
import { asRefusal } from '../session/refusal.ts';
import type { Browser } from './browser.ts';
import type { SignInScreen, SignInState } from './screens.ts';
import { Work } from './work.ts';

/** A challenge is good for five minutes; people leave this page open for longer. */
const RENEW_MS = 240_000;

export interface SignInPorts {
  readonly browser: Browser;
  readonly http: Http;
  /** Of the application that the person comes from. */
  readonly clientId?: string | undefined;
  /** Signed in. */
  done(): void;
}

export class SignInModel extends Work<SignInState> implements SignInScreen {
  readonly #ports: SignInPorts;
  #token: string | undefined;
  #waiting: AbortController | undefined;
  #cancelRenewal = (): void => {};
  #closed = false;

  constructor(ports: SignInPorts, state: Omit<SignInState, 'busy' | 'step' | 'passkey'>) {
    super({ ...state, step: 'password', busy: false, passkey: state.form && ports.browser.passkeys.supported });
    this.#ports = ports;
    void this.#offerPasskeys();
    void this.#nameApplication();
  }

  close(): void {
    this.#closed = true;
    this.#stopOffering();
  }

  submit(credentials: { username: string; password: string }): void {
    void this.#step(() => this.#ports.http.signIn(credentials));
  }

  submitCode(code: string): void {
    const token = this.#token;
    if (token === undefined) return;
    void this.#step(() => this.#ports.http.signInCode({ token, code: code.trim() })).then(() => {
      // Used up: only the password leads to another one.
      if (this.state.problem?.code === 'link_invalid') this.#restart();
    });
  }

  back(): void {
    this.#restart();
    this.patch({ problem: undefined });
  }

  usePasskey(): void {
    if (this.state.busy) return;
    this.#stopOffering();
    const signal = new AbortController().signal;
    void this.#step(async () => {
      const { token, options } = await this.#ports.http.startPasskey();
      const credential = await this.#ports.browser.passkeys
        .get(options, { quiet: false, signal })
        .catch(() => undefined);
      // Closing the browser's window is a decision and no problem.
      return credential && this.#ports.http.finishPasskey({ token, credential });
    }).then(() => this.#offerPasskeys());
  }

  /** Nobody is kept from signing in by a name that cannot be had. */
  async #nameApplication(): Promise<void> {
    const { clientId, http } = this.#ports;
    if (clientId === undefined) return;
    const found = await http.application(clientId).catch(() => undefined);
    if (found && !this.#closed) this.patch({ applicationName: found.name });
  }

  #restart(): void {
    this.#token = undefined;
    this.patch({ step: 'password' });
  }

  async #step(take: () => Promise<SignInStep | undefined>): Promise<void> {
    const step = await this.attempt(take);
    if (step?.step === 'done') this.#ports.done();
    else if (step?.step === 'code') {
      this.#token = step.token;
      this.patch({ step: 'code' });
    }
  }

  /** Has the browser offer passkeys among what it fills into the form, for as long as the page stands. */
  async #offerPasskeys(): Promise<void> {
    const { clock, passkeys } = this.#ports.browser;
    if (!this.state.passkey || !(await passkeys.autofills().catch(() => false)) || this.#closed) return;
    this.#stopOffering();
    const waiting = new AbortController();
    this.#waiting = waiting;
    this.#cancelRenewal = clock.after(RENEW_MS, () => void this.#offerPasskeys());
    try {
      const { token, options } = await this.#ports.http.startPasskey();
      const credential = await passkeys.get(options, { quiet: true, signal: waiting.signal });
      if (!waiting.signal.aborted) await this.#step(() => this.#ports.http.finishPasskey({ token, credential }));
    } catch (error) {
      // Nothing was asked for: the form is there, and the button too unless the house has no passkeys at all.
      if (asRefusal(error).code === 'not_found') this.patch({ passkey: false });
    }
  }

  #stopOffering(): void {
    this.#cancelRenewal();
    this.#waiting?.abort();
    this.#waiting = undefined;
  }
}
