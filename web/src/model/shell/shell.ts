/**
 * The app as a thing that is installed and gets newer: knows which build this page is and which the server holds, what may
 * be asked of the person now, and when a page is loaded anew by itself. Never loads anew in a call, and never twice
 * for the same build.
 */

import type { App, Home } from '../../protocol/generated.ts';
import type { Browser } from '../browser.ts';
import { Copyable, type CopyableScreen } from '../copyable.ts';
import type { AppState, Page } from '../screens.ts';
import { Store } from '../store.ts';
import type { ShellPorts } from './ports.ts';
import { intentAddress, isBelow, promptFor } from './prompts.ts';
import type { Prompt, ShellScreen, ShellState } from './screens.ts';

/** So that who looks sees why the page goes. */
const SHOWN_MS = 1_200;
/** For which build this tab was loaded anew by itself. */
const UPDATED_TO = 'stube.updated_to';
const INSTALL = 'stube.install';

export interface ShellModelPorts extends ShellPorts {
  readonly browser: Browser;
  /** Asks which app the server holds. */
  served(): Promise<App | undefined>;
}

export class ShellModel extends Store<ShellState> implements ShellScreen {
  readonly inside: 'ios' | 'android' | undefined;
  readonly #ports: ShellModelPorts;
  readonly #wanted = new Set<Prompt>();
  #app: AppState = { page: { name: 'loading' } };
  #served: App | undefined;
  /** The build that this page can become: the browser has fetched it. */
  #fetched: string | undefined;
  #fetching: string | undefined;
  /** This page does not work any more with what the server holds. */
  #broken = false;
  #ringing = false;
  #answered = false;
  #install: (() => Promise<void>) | undefined;
  #unwatch = (): void => {};
  #awake: Promise<() => void> | undefined;

  constructor(ports: ShellModelPorts) {
    super({});
    this.#ports = ports;
    this.inside = ports.inside;
    ports.onInstallable((install) => this.#offerInstall(install));
    ports.onInstalled(() => this.decline('install'));
    ports.onPartMissing(() => this.#isBroken());
    if (ports.installsByHand) this.#offerInstall(undefined);
  }

  /** Which page stands, and for whom. */
  follow(app: AppState): void {
    const { page, house } = app;
    const before = this.#app;
    this.#app = app;
    if (page !== before.page) this.#watch(page);
    if (house?.user === undefined && before.house?.user !== undefined) this.homeIs(undefined);
    this.#stayAwake();
    this.#decide();
  }

  /** The page is seen again: the browser has let go of the screen meanwhile. */
  visibilityChanged(): void {
    if (this.#ports.browser.hidden) return;
    this.#awake = undefined;
    this.#stayAwake();
  }

  /** Told by the server; one of an older version does not say it. */
  serverHolds(app: App | undefined): void {
    if (!app || this.#ports.build === undefined) return;
    this.#served = app;
    if (app.build !== this.#ports.build && app.build !== this.#fetching) void this.#fetch(app.build);
    this.#decide();
  }

  /** The server does not understand this page any more. */
  refused(): void {
    this.#isBroken();
  }

  homeIs(home: Home | undefined): void {
    this.#ringing = (home?.calls.length ?? 0) > 0;
    this.#ports.setBadge(home?.missed ?? 0);
    this.#decide();
  }

  /** Whether somebody may be asked whether they want to be woken. */
  wantsPush(wanted: boolean): void {
    this.#want('push', wanted);
  }

  update(): void {
    if (!this.#busy) this.#ports.reload();
  }

  install(): void {
    // The browser's own question is enough, whatever the answer.
    this.#install?.().catch(() => {});
    this.decline('install');
  }

  decline(prompt: 'install' | 'push'): void {
    if (prompt === 'install') this.#ports.browser.local.set(INSTALL, 'declined');
    this.#answered = true;
    this.#want(prompt, false);
  }

  browserAddress(): string {
    return intentAddress(this.#address());
  }

  copyable(): CopyableScreen {
    return new Copyable(this.#ports.browser, this.#address());
  }

  #address(): string {
    const { origin, pathname, search, hash } = this.#ports.browser.address();
    return origin + pathname + search + hash;
  }

  #offerInstall(install: (() => Promise<void>) | undefined): void {
    const { browser, installed } = this.#ports;
    if (installed || browser.local.get(INSTALL) !== undefined) return;
    this.#install = install;
    this.#want('install', true);
  }

  #want(prompt: Prompt, wanted: boolean): void {
    if (wanted) this.#wanted.add(prompt);
    else this.#wanted.delete(prompt);
    this.#decide();
  }

  async #fetch(build: string): Promise<void> {
    this.#fetching = build;
    await this.#ports.fetchNewest();
    this.#fetched = build;
    this.#decide();
  }

  /** Only a newer build helps; where the server holds this one, something else is wrong. */
  #isBroken(): void {
    this.#broken = true;
    this.#ports.served().then(
      (app) => this.serverHolds(app),
      // Not reached: what is missing may come back with it.
      () => {},
    );
  }

  get #busy(): boolean {
    const { page } = this.#app;
    if (page.name === 'meeting' || this.#ringing) return true;
    if (page.name === 'call') return page.screen.state.phase !== 'ended';
    return page.name === 'door' && ['joining', 'waiting'].includes(page.screen.state.phase);
  }

  #decide(): void {
    const { build } = this.#ports;
    const served = this.#served;
    const newer = served !== undefined && served.build !== build && this.#fetched === served.build;
    if (newer) this.#wanted.add('update');
    else this.#wanted.delete('update');
    if (newer && this.#must(served)) this.#updateUnasked(served.build);
    const prompt = promptFor({
      page: this.#app.page.name,
      account: this.#app.house?.user !== undefined,
      busy: this.#busy,
      answered: this.#answered,
      wanted: this.#wanted,
    });
    const byHand = prompt === 'install' && !this.#install ? this.#ports.installsByHand : undefined;
    // Told once: who wants it knows by then.
    if (byHand) this.#ports.browser.local.set(INSTALL, 'told');
    this.patch({ prompt: this.state.updating ? undefined : prompt, byHand });
  }

  #must(served: App): boolean {
    const { build, browser } = this.#ports;
    if (build === undefined || browser.session.get(UPDATED_TO) === served.build) return false;
    return this.#broken || isBelow(build, served.minimum_version);
  }

  #updateUnasked(build: string): void {
    if (this.#busy || this.state.updating || this.#app.page.name === 'loading') return;
    this.patch({ updating: true });
    this.#ports.browser.clock.after(SHOWN_MS, () => {
      if (this.#busy) {
        this.patch({ updating: undefined });
        return;
      }
      this.#ports.browser.session.set(UPDATED_TO, build);
      this.#ports.reload();
    });
  }

  /** Where one is on the way in, and how far, changes without another page. */
  #watch(page: Page): void {
    this.#unwatch();
    const passing = page.name === 'door' || page.name === 'call';
    this.#unwatch = passing ? page.screen.subscribe(() => this.#decide()) : () => {};
  }

  #stayAwake(): void {
    if (this.#app.page.name === 'meeting') {
      this.#awake ??= this.#ports.keepAwake();
    } else {
      void this.#awake?.then((release) => release());
      this.#awake = undefined;
    }
  }
}
