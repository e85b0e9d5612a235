/** Choosing somebody of the house to ring in: found by name, with whether they can be reached. */

import type { Client } from '../../session/client.ts';
import type { Http } from '../../session/http.ts';
import type { Browser } from '../browser.ts';
import { problemFrom } from '../problem.ts';
import { Store } from '../store.ts';
import { calleeOf } from './people.ts';
import type { Pickable, PickerScreen, PickerState } from './screens.ts';

const TYPING_MS = 200;

export interface PickerPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly client: Client;
  /** Oneself: nobody to call. */
  readonly you: string;
  choose(person: Pickable): void;
}

export class PickerModel extends Store<PickerState> implements PickerScreen {
  readonly #ports: PickerPorts;
  readonly #unlisten: () => void;
  #unwatch = (): void => {};
  #cancelTyping = (): void => {};
  /** Counts searches: a late answer to an old one is dropped. */
  #asked = 0;

  constructor(ports: PickerPorts) {
    super({ text: '', typeMore: false, more: false });
    this.#ports = ports;
    this.#unlisten = ports.client.people.onAvailability(() => {
      if (this.state.people) this.patch({ people: this.state.people.map((one) => this.#withAvailability(one)) });
    });
    this.#search();
  }

  setText(text: string): void {
    this.patch({ text });
    this.#cancelTyping();
    this.#cancelTyping = this.#ports.browser.clock.after(TYPING_MS, () => this.#search());
  }

  retry(): void {
    this.#search();
  }

  choose(person: Pickable): void {
    this.#ports.choose(person);
  }

  close(): void {
    this.#asked += 1;
    this.#cancelTyping();
    this.#unwatch();
    this.#unlisten();
  }

  #search(): void {
    this.#cancelTyping();
    const asked = ++this.#asked;
    const latest = (fields: Parameters<typeof this.patch>[0]): void => {
      if (asked === this.#asked) this.patch({ problem: undefined, ...fields });
    };
    this.#ports.http.people(this.state.text.trim()).then(
      ({ people: all, more, type_more }) => {
        if (asked !== this.#asked) return;
        const people = all.filter(({ id }) => id !== this.#ports.you);
        this.#unwatch();
        this.#unwatch = this.#ports.client.people.watch(people.map(({ id }) => id));
        const found = people.map((person) =>
          this.#withAvailability({ ...calleeOf(person), username: person.username }),
        );
        latest({ people: found, more, typeMore: type_more });
      },
      (error) => latest({ problem: problemFrom(error) }),
    );
  }

  #withAvailability(person: Pickable): Pickable {
    const availability = this.#ports.client.people.availability.get(person.id);
    return availability === undefined || availability === person.availability ? person : { ...person, availability };
  }
}
