/** Whose availability is on the screen: watches these people and nobody else, and lets go of them with the page. */

import type { Clock } from '../../session/clock.ts';
import type { HousePeople } from '../../session/people.ts';
import { Store } from '../store.ts';
import type { SightScreen, SightState } from './screens.ts';

/** While a list is scrolled, nobody new is watched. */
const REST_MS = 120;

export class Sight extends Store<SightState> implements SightScreen {
  readonly #people: HousePeople;
  readonly #clock: Clock;
  readonly #unlisten: () => void;
  #cancel = (): void => {};
  #letGo = (): void => {};

  constructor(people: HousePeople, clock: Clock) {
    super({ availability: people.availability });
    this.#people = people;
    this.#clock = clock;
    this.#unlisten = people.onAvailability((availability) => this.patch({ availability }));
  }

  show(people: readonly string[]): void {
    this.#cancel();
    this.#cancel = this.#clock.after(REST_MS, () => this.#watch(people));
  }

  close(): void {
    this.#cancel();
    this.#letGo();
    this.#unlisten();
  }

  #watch(people: readonly string[]): void {
    const before = this.#letGo;
    this.#letGo = people.length > 0 ? this.#people.watch(people) : () => {};
    before();
  }
}
