/** A text to take along: shown, copied, and for two seconds said to be copied. */

import type { Browser } from './browser.ts';
import { type Readable, Store } from './store.ts';

const COPIED_MS = 2_000;

export interface CopyableState {
  readonly text: string;
  readonly copied: boolean;
  /** The browser refused the clipboard: select the text so that it can be copied by hand. */
  readonly copyFailed: boolean;
}

export interface CopyableScreen extends Readable<CopyableState> {
  copy(): void;
}

export class Copyable extends Store<CopyableState> implements CopyableScreen {
  readonly #browser: Browser;
  #cancelCopied: () => void = () => {};

  constructor(browser: Browser, text: string) {
    super({ text, copied: false, copyFailed: false });
    this.#browser = browser;
  }

  copy(): void {
    this.#cancelCopied();
    this.#browser.copy(this.state.text).then(
      () => {
        this.patch({ copied: true, copyFailed: false });
        this.#cancelCopied = this.#browser.clock.after(COPIED_MS, () => this.patch({ copied: false }));
      },
      () => this.patch({ copied: false, copyFailed: true }),
    );
  }
}
