/** What can be set in the browser: the house's name and face, who may come and sign in, and who may see whom. */

import type { ChangeSettings } from '../../protocol/generated.ts';
import type { AdminHttp, SettingsHttp } from '../../session/admin.ts';
import type { Browser } from '../browser.ts';
import { logoPath } from '../pictures.ts';
import { type SignedOut, Work } from '../work.ts';
import type { SettingsScreen, SettingsState } from './screens.ts';

const SAVED_MS = 3_000;

export interface SettingsPorts {
  readonly browser: Browser;
  readonly http: AdminHttp;
  readonly settings: SettingsHttp;
  readonly signedOut: SignedOut;
  /** The house looks different now: its name and logo stand on other pages too. */
  changed(): void;
}

export class SettingsModel extends Work<SettingsState> implements SettingsScreen {
  readonly #ports: SettingsPorts;
  #cancelSaved = (): void => {};

  constructor(ports: SettingsPorts) {
    super({ busy: false, groups: [], saved: false, mailSent: false }, ports.signedOut);
    this.#ports = ports;
    this.retry();
  }

  close(): void {
    this.#cancelSaved();
  }

  retry(): void {
    void this.#load(async () => undefined);
  }

  async save(change: ChangeSettings): Promise<boolean> {
    const saved = await this.#load(() => this.#ports.settings.change(change));
    if (saved) this.#say();
    return saved;
  }

  setLogo(file: File): void {
    void this.#load(() => this.#ports.settings.setLogo(file)).then((done) => done && this.#say());
  }

  removeLogo(): void {
    void this.#load(() => this.#ports.settings.removeLogo()).then((done) => done && this.#say());
  }

  testMail(): void {
    this.patch({ mailSent: false });
    void this.attempt(() => this.#ports.settings.testMail()).then((sent) => sent && this.patch({ mailSent: true }));
  }

  #say(): void {
    this.#cancelSaved();
    this.patch({ saved: true });
    this.#cancelSaved = this.#ports.browser.clock.after(SAVED_MS, () => this.patch({ saved: false }));
    this.#ports.changed();
  }

  async #load(act: () => Promise<unknown>): Promise<boolean> {
    const known = await this.attempt(async () => {
      await act();
      const [settings, { groups }] = await Promise.all([this.#ports.settings.settings(), this.#ports.http.groups()]);
      const logo = settings.logo === undefined ? undefined : logoPath(settings.logo);
      return { settings, logo, groups: groups.map(({ name }) => name) };
    });
    if (known) this.patch(known);
    return known !== undefined;
  }
}
