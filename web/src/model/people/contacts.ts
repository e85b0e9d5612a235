/**
 * People of the house: favourites and recent ones first, then everybody or whoever is searched for by name, login or
 * mail. Read when somebody looks, and again when the favourites are others.
 */

import type { Near, People } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import { DirectoryHttp } from '../../session/directory.ts';
import type { Http } from '../../session/http.ts';
import type { Browser } from '../browser.ts';
import { problemFrom } from '../problem.ts';
import { Store } from '../store.ts';
import { contactOf } from './contact.ts';
import type { CallerScreen, ContactGroup, ContactsScreen, ContactsState } from './screens.ts';
import { Sight } from './sight.ts';

const TYPING_MS = 200;

export interface ContactsPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly client: Client;
  readonly caller: CallerScreen;
  /** Id of the reader, whom nobody looks for. */
  readonly you: string;
}

export class ContactsModel extends Store<ContactsState> implements ContactsScreen {
  readonly sight: Sight;
  readonly caller: CallerScreen;
  readonly #browser: Browser;
  readonly #http: Http;
  readonly #directory: DirectoryHttp;
  readonly #you: string;
  readonly #unlisten: () => void;
  #open = false;
  #cancelTyping = (): void => {};
  /** Counts searches: a late answer to an old one is dropped. */
  #asked = 0;

  constructor({ browser, http, client, caller, you }: ContactsPorts) {
    super({ text: '', typeMore: false, more: false });
    this.#browser = browser;
    this.#http = http;
    this.#you = you;
    this.#directory = new DirectoryHttp(http.api);
    this.caller = caller;
    this.sight = new Sight(client.people, browser.clock);
    this.#unlisten = client.listen({
      changed: (change) => change.type === 'favourites_changed' && this.#readAgain(),
      anew: () => this.#readAgain(),
    });
  }

  open(): void {
    this.#open = true;
    this.#search();
  }

  leave(): void {
    this.#open = false;
    this.sight.show([]);
  }

  setText(text: string): void {
    this.patch({ text });
    this.#cancelTyping();
    this.#cancelTyping = this.#browser.clock.after(TYPING_MS, () => this.#search());
  }

  retry(): void {
    this.#search();
  }

  close(): void {
    this.#cancelTyping();
    this.#asked += 1;
    this.#unlisten();
    this.sight.close();
  }

  #readAgain(): void {
    if (this.#open) this.#search();
  }

  #search(): void {
    this.#cancelTyping();
    const asked = ++this.#asked;
    const latest = (fields: Parameters<typeof this.patch>[0]): void => {
      if (asked === this.#asked) this.patch({ problem: undefined, ...fields });
    };
    const text = this.state.text.trim();
    const near = text === '' ? this.#directory.near() : undefined;
    Promise.all([this.#http.people(text), near]).then(
      ([found, close]) =>
        latest({ groups: groupsOf(found, close, this.#you), more: found.more, typeMore: found.type_more }),
      (error) => latest({ problem: problemFrom(error) }),
    );
  }
}

/** Everybody stands in one place only. */
function groupsOf(found: People, near: Near | undefined, you: string): readonly ContactGroup[] {
  const shown = new Set([you]);
  const group = (kind: ContactGroup['kind'], people: People['people']): ContactGroup => {
    const others = people.filter(({ id }) => !shown.has(id));
    for (const { id } of others) shown.add(id);
    return { kind, people: others.map(contactOf) };
  };
  const groups = near
    ? [group('favourites', near.favourites), group('recent', near.recent), group('all', found.people)]
    : [group('found', found.people)];
  return groups.filter(({ people }) => people.length > 0);
}
