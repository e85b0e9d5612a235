/** What the signed-in person says of themselves and has missed, the same on all of their devices. */

import type { Home, Status } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import type { Browser } from '../browser.ts';
import type { OwnView } from '../screens.ts';

export class Own {
  readonly #browser: Browser;
  readonly #tell: (own: OwnView | undefined) => void;
  #client: Client | undefined;
  #unlisten = (): void => {};
  #own: OwnView | undefined;

  constructor(browser: Browser, tell: (own: OwnView | undefined) => void) {
    this.#browser = browser;
    this.#tell = tell;
    browser.onVisibility(() => this.#look());
  }

  /** From now on that of whoever is on this connection; without one, of nobody. */
  follow(client: Client | undefined): void {
    this.#unlisten();
    this.#client = client;
    this.#unlisten = client?.listen({ home: (home) => this.#show(home) }) ?? (() => {});
    this.#show(client?.home);
    this.#look();
  }

  setStatus(status: Status): void {
    // What the server makes of it comes to all devices.
    this.#client?.people.setStatus(status).catch(() => {});
  }

  /** Nobody is watched from a page that nobody sees. */
  #look(): void {
    this.#client?.people.setLooking(!this.#browser.hidden);
  }

  #show(home: Home | undefined): void {
    const before = this.#own;
    if (before?.missed === home?.missed && before?.status === home?.status) return;
    this.#own = home && { missed: home.missed, status: home.status };
    this.#tell(this.#own);
  }
}
