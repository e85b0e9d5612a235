/** Whether somebody uses this window: it is seen, and was touched a short while ago. Told to the server when it changes. */

import type { Browser } from '../browser.ts';

/** Who touches nothing for so long is away. */
const IDLE_MS = 5 * 60_000;

export class Activity {
  readonly #browser: Browser;
  readonly #tell: (active: boolean) => void;
  #cancel = (): void => {};
  #idle = false;

  constructor(browser: Browser, tell: (active: boolean) => void) {
    this.#browser = browser;
    this.#tell = tell;
    browser.onUsed(() => this.#used());
    browser.onVisibility(() => this.#used());
    this.#used();
  }

  get active(): boolean {
    return !this.#browser.hidden && !this.#idle;
  }

  #used(): void {
    this.#cancel();
    this.#idle = false;
    this.#cancel = this.#browser.clock.after(IDLE_MS, () => {
      this.#idle = true;
      this.#tell(this.active);
    });
    this.#tell(this.active);
  }
}
