/** The page of somebody of the house. Says the same for nobody and for somebody whom the reader may not see. */

import type { HomeChange } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import type { Clock } from '../../session/clock.ts';
import { ConnectionsHttp } from '../../session/connections.ts';
import { DirectoryHttp } from '../../session/directory.ts';
import type { Http } from '../../session/http.ts';
import type { Browser } from '../browser.ts';
import { staysOfLines } from '../connection/lines.ts';
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

/** How long the house may take to store a record. */
const JUST_STORED_MS = 1_000;

export class PersonPageModel extends Work<PersonPageState> implements PersonPageScreen {
  readonly sight: Sight;
  readonly caller: CallerScreen;
  readonly #id: string;
  readonly #http: DirectoryHttp;
  readonly #connections: ConnectionsHttp;
  readonly #unlisten: () => void;
  readonly #clock: Clock;
  #cancelLook = (): void => {};

  constructor({ browser, http, client, caller, signedOut, you }: PersonPagePorts, id: string) {
    super({ busy: false, unknown: false, you: you === id }, signedOut);
    this.#id = id;
    this.#clock = browser.clock;
    this.#http = new DirectoryHttp(http.api);
    this.#connections = new ConnectionsHttp(http.api);
    this.caller = caller;
    this.sight = new Sight(client.people, browser.clock);
    this.sight.show([id]);
    this.#unlisten = client.listen({
      changed: (change) => this.#changed(change),
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
    this.#cancelLook();
    this.#unlisten();
    this.sight.close();
  }

  #changed(change: HomeChange): void {
    if (change.type === 'favourites_changed') void this.#read();
    if (change.type !== 'history_changed' || change.entry.person?.id !== this.#id) return;
    // They have just hung up: what was measured is stored at the same time as the line.
    this.#cancelLook();
    this.#cancelLook = this.#clock.after(JUST_STORED_MS, () => this.#readConnection().catch(() => {}));
  }

  /** Of the last time. The page does not wait for it. */
  async #readConnection(): Promise<void> {
    const { entries } = await this.#http.history();
    const calls = entries.filter(({ person, duration_ms }) => person?.id === this.#id && duration_ms !== undefined);
    const last = calls.map(({ id, started_at, duration_ms }) => ({
      id,
      startedAt: started_at,
      ...(duration_ms === undefined ? {} : { durationMs: duration_ms }),
    }))[0];
    const connection = last && (await staysOfLines(this.#connections, [last])).get(last.id);
    if (last && connection) this.patch({ connection: { ...connection, at: last.startedAt } });
  }

  async #read(): Promise<void> {
    const person = await this.guard(() => this.#http.person(this.#id));
    if (person) {
      this.patch({ person: contactOf(person), problem: undefined });
      this.#readConnection().catch(() => {});
    } else if (this.state.problem?.code === 'not_found') this.patch({ unknown: true, person: undefined });
  }
}
