/** The authenticator app as a second step: set up with the password, confirmed by a code, and its backup codes told once. */

import { Copyable } from '../copyable.ts';
import { Work } from '../work.ts';
import type { Parts } from './account.ts';
import type { TotpScreen, TotpState } from './screens.ts';

export class TotpModel extends Work<TotpState> implements TotpScreen {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    super({ busy: false }, parts.signedOut);
    this.#parts = parts;
  }

  async start(password: string): Promise<boolean> {
    const begun = await this.attempt(() => this.#parts.http.startTotp(password));
    if (!begun) return false;
    const { url, secret } = begun;
    this.patch({ setUp: { url, secret: new Copyable(this.#parts.browser, secret) } });
    return true;
  }

  async confirm(code: string): Promise<boolean> {
    const confirmed = await this.attempt(() => this.#parts.http.confirmTotp(code.replaceAll(/\s/g, '')));
    if (!confirmed) return false;
    const { codes } = confirmed;
    const all = new Copyable(this.#parts.browser, codes.join('\n'));
    this.patch({ setUp: undefined, codes: { list: codes, all } });
    await this.#parts.refresh();
    return true;
  }

  cancel(): void {
    this.patch({ setUp: undefined, problem: undefined });
  }

  async remove(password: string): Promise<boolean> {
    const removed = await this.attempt(() => this.#parts.http.removeTotp(password));
    if (removed) await this.#parts.refresh();
    return removed !== undefined;
  }

  saveCodes(): void {
    const { codes } = this.state;
    if (codes) this.#parts.browser.saveText('stube-codes.txt', `${codes.list.join('\r\n')}\r\n`);
  }

  forgetCodes(): void {
    this.patch({ codes: undefined });
  }
}
