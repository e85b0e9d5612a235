/** The page of somebody of the house. Says the same for nobody and for somebody whom the reader may not see. */

import type { Client } from '../../session/client.ts';
import { DirectoryHttp } from '../../session/directory.ts';
import type { Http } from '../../session/http.ts';
import type { Browser } from '../browser.ts';
import { type SignedOut, Work } from '../work.ts';
import { contactOf } from './contact.ts';
import type { CallerScreen, PersonPageScreen, PersonPageState } from './screens.ts';
import { Sight } from './sight.ts';

export interface PersonPagePorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly client: Client;
  readonly caller: CallerScreen;
  readonly signedOut: SignedOut;
  /** Id of the reader. */
  readonly you: string;
}

export class PersonPageModel extends Work<PersonPageState> implements PersonPageScreen {
  readonly sight: Sight;
  readonly caller: CallerScreen;
  readonly #id: string;
  readonly #http: DirectoryHttp;
  readonly #unlisten: () => void;

  constructor({ browser, http, client, caller, signedOut, you }: PersonPagePorts, id: string) {
    super({ busy: false, unknown: false, you: you === id }, signedOut);
    this.#id = id;
    this.#http = new DirectoryHttp(http.api);
    this.caller = caller;
    this.sight = new Sight(client.people, browser.clock);
    this.sight.show([id]);
    this.#unlisten = client.listen({
      changed: (change) => change.type === 'favourites_changed' && void this.#read(),
      anew: () => this.state.person && void this.#read(),
    });
    this.retry();
  }

  retry(): void {
    void this.attempt(() => this.#read());
  }

  setFavourite(on: boolean): void {
    void this.attempt(async () => {
      await this.#http.setFavourite(this.#id, on);
      await this.#read();
    });
  }

  close(): void {
    this.#unlisten();
    this.sight.close();
  }

  async #read(): Promise<void> {
    const person = await this.guard(() => this.#http.person(this.#id));
    if (person) this.patch({ person: contactOf(person), problem: undefined });
    else if (this.state.problem?.code === 'not_found') this.patch({ unknown: true, person: undefined });
  }
}
