/** People of the house, found by name, login or mail. Read when somebody looks. */

import type { Http } from '../session/http.ts';
import type { Browser } from './browser.ts';
import { picturePath } from './pictures.ts';
import { problemFrom } from './problem.ts';
import type { ContactsScreen, ContactsState } from './screens.ts';
import { Store } from './store.ts';

const TYPING_MS = 200;

export class ContactsModel extends Store<ContactsState> implements ContactsScreen {
  readonly #browser: Browser;
  readonly #http: Http;
  #cancelTyping = (): void => {};
  /** Counts searches: a late answer to an old one is dropped. */
  #asked = 0;

  constructor(browser: Browser, http: Http) {
    super({ text: '', typeMore: false, more: false });
    this.#browser = browser;
    this.#http = http;
  }

  open(): void {
    this.#search();
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
  }

  #search(): void {
    this.#cancelTyping();
    const asked = ++this.#asked;
    const latest = (fields: Parameters<typeof this.patch>[0]): void => {
      if (asked === this.#asked) this.patch({ problem: undefined, ...fields });
    };
    this.#http.people(this.state.text.trim()).then(
      ({ people, more, type_more }) => {
        const found = people.map(({ id, name, username, mail, picture }) => ({
          id,
          name,
          username,
          ...(mail ? { mail } : {}),
          ...(picture ? { picture: picturePath(id, picture) } : {}),
        }));
        latest({ people: found, more, typeMore: type_more });
      },
      (error) => latest({ problem: problemFrom(error) }),
    );
  }
}
