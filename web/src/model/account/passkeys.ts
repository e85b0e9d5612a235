/** Passkeys of this account: made by the browser, known by the server. The password is typed again before. */

import { Work } from '../work.ts';
import type { Parts } from './account.ts';
import type { PasskeysScreen, PasskeysState } from './screens.ts';

export class PasskeysModel extends Work<PasskeysState> implements PasskeysScreen {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    super({ busy: false, supported: parts.browser.passkeys.supported, failed: false }, parts.signedOut);
    this.#parts = parts;
  }

  async add({ name, password }: { name: string; password: string }): Promise<boolean> {
    const { browser, http, refresh } = this.#parts;
    this.patch({ failed: false });
    const added = await this.attempt(async () => {
      const { token, options } = await http.startPasskey(password);
      const credential = await browser.passkeys.create(options).catch(() => undefined);
      if (!credential) return 'failed';
      await http.addPasskey({ token, name, credential });
      await refresh();
      return 'added';
    });
    if (added === 'failed') this.patch({ failed: true });
    return added === 'added';
  }

  async remove(id: string, password: string): Promise<boolean> {
    const removed = await this.attempt(async () => {
      await this.#parts.http.removePasskey(id, password);
      await this.#parts.refresh();
      return true;
    });
    return removed === true;
  }
}
