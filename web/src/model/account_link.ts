/** What is behind a link to an account: an invite makes one, a recovery link gives it a new password. */

import type { Http } from '../session/http.ts';
import type { AccountLinkScreen, AccountLinkState, ForgottenScreen, ForgottenState } from './screens.ts';
import { Work } from './work.ts';

export interface AccountLinkPorts {
  readonly http: Http;
  /** The account is there. `signedIn`: so is its session; otherwise its second factor is still to be shown. */
  done(signedIn: boolean): void;
}

export class AccountLinkModel extends Work<AccountLinkState> implements AccountLinkScreen {
  readonly #ports: AccountLinkPorts;
  readonly #token: string | undefined;

  constructor(ports: AccountLinkPorts, kind: 'invite' | 'recovery', token: string | undefined) {
    super({ kind, phase: token === undefined ? 'invalid' : 'opening', busy: false, username: '', name: '' });
    this.#ports = ports;
    this.#token = token;
    void this.#open();
  }

  retry(): void {
    void this.#open();
  }

  submit(account: { username: string; name: string; password: string }): void {
    const { kind, phase } = this.state;
    const token = this.#token;
    if (token === undefined || phase !== 'open') return;
    const { password, ...person } = account;
    const accept = kind === 'invite' ? { token, password, ...person } : { token, password };
    void this.attempt(() => this.#ports.http.acceptLink(accept)).then((step) => {
      if (step) this.#ports.done(step.step === 'done');
      else if (this.state.problem?.code === 'link_invalid') this.patch({ phase: 'invalid', problem: undefined });
    });
  }

  async #open(): Promise<void> {
    const token = this.#token;
    if (token === undefined) return;
    const link = await this.attempt(() => this.#ports.http.openLink(token));
    if (link) {
      const { kind, name, username } = link;
      this.patch({ kind, name, username, phase: 'open' });
    } else if (this.state.problem?.code === 'link_invalid') {
      this.patch({ phase: 'invalid', problem: undefined });
    }
  }
}

/** Asks for a recovery link by mail; says the same whether there is such a person or not. */
export class ForgottenModel extends Work<ForgottenState> implements ForgottenScreen {
  readonly #http: Http;

  constructor(http: Http) {
    super({ busy: false, sent: false });
    this.#http = http;
  }

  submit(who: string): void {
    const asked = who.trim();
    if (asked === '') return;
    void this.attempt(() => this.#http.askForRecovery(asked)).then((sent) => sent && this.patch({ sent }));
  }
}
