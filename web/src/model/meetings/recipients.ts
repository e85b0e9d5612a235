/** A list of people to invite: addresses as they are typed, and people of the house who are suggested meanwhile. */

import type { Clock } from '../../session/clock.ts';
import type { Http } from '../../session/http.ts';
import { picturePath } from '../pictures.ts';
import { Store } from '../store.ts';
import { bare, cut, isMail } from './mails.ts';
import type { Recipient, RecipientsScreen, RecipientsState, Suggestion } from './screens.ts';

const TYPING_MS = 200;
const SUGGESTIONS = 5;

export interface RecipientsPorts {
  readonly clock: Clock;
  readonly http: Http;
  /** Only people of the house who can be written to; absent: nobody of the house is suggested. */
  readonly people?: 'all' | 'with_mail';
}

export class RecipientsModel extends Store<RecipientsState> implements RecipientsScreen {
  readonly #ports: RecipientsPorts;
  #cancelTyping = (): void => {};
  /** Counts searches: a late answer to an old one is dropped. */
  #asked = 0;

  constructor(ports: RecipientsPorts, list: readonly Recipient[] = []) {
    super({ list, text: '', suggestions: [] });
    this.#ports = ports;
  }

  /** Whether each of them can be written to. */
  get complete(): boolean {
    return !this.state.list.some(({ wrong }) => wrong);
  }

  get people(): string[] {
    return this.state.list.flatMap(({ user }) => (user === undefined ? [] : [user]));
  }

  /** Addresses of those who are not of the house. */
  get mails(): string[] {
    return this.state.list.flatMap(({ user, mail }) => (user === undefined && mail !== undefined ? [mail] : []));
  }

  setText(text: string): void {
    const { done, rest } = cut(text);
    for (const one of done) this.#add(recipientOf(one));
    this.patch({ text: rest });
    this.#cancelTyping();
    if (rest.trim() === '' || this.#ports.people === undefined) this.#show([]);
    else this.#cancelTyping = this.#ports.clock.after(TYPING_MS, () => this.#search(rest.trim()));
  }

  take(): void {
    const text = bare(this.state.text);
    if (text !== '') this.#add(recipientOf(text));
    this.setText('');
  }

  choose({ user, name, mail }: Suggestion): void {
    this.#add({ key: `user:${user}`, user, name, ...(mail === undefined ? {} : { mail }), wrong: false });
    this.setText('');
  }

  remove(key: string): void {
    this.patch({ list: this.state.list.filter((one) => one.key !== key) });
  }

  removeLast(): void {
    this.patch({ list: this.state.list.slice(0, -1) });
  }

  clear(): void {
    this.patch({ list: [] });
    this.setText('');
  }

  close(): void {
    this.#cancelTyping();
    this.#asked += 1;
  }

  #add(one: Recipient): void {
    if (!this.state.list.some(({ key }) => key === one.key)) this.patch({ list: [...this.state.list, one] });
  }

  #show(suggestions: readonly Suggestion[]): void {
    this.#asked += 1;
    this.patch({ suggestions });
  }

  #search(text: string): void {
    const asked = ++this.#asked;
    this.#ports.http.people(text).then(
      ({ people }) => {
        if (asked !== this.#asked) return;
        const chosen = new Set(this.people);
        const fits = people.filter(({ id, mail }) => !chosen.has(id) && (this.#ports.people === 'all' || mail));
        const suggestions = fits.slice(0, SUGGESTIONS).map(({ id, name, mail, picture }) => ({
          user: id,
          name,
          ...(mail === undefined ? {} : { mail }),
          ...(picture ? { picture: picturePath(id, picture) } : {}),
        }));
        this.patch({ suggestions });
      },
      // An address can be typed all the same.
      () => asked === this.#asked && this.patch({ suggestions: [] }),
    );
  }
}

function recipientOf(text: string): Recipient {
  return { key: text.toLowerCase(), name: text, mail: text, wrong: !isMail(text) };
}
