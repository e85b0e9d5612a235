/**
 * The people of the house on one connection: ringing, one's own status, and whose availability is watched. What is
 * watched, and whether this window is used, is said again after every reconnect. Decides nothing about calls.
 */

import type { Availability, Call, CallId, HomeChange, Status, UserId } from '../protocol/generated.ts';
import type { Connection, Intent } from './connection.ts';

/** The server takes no more at once. */
const MOST_WATCHED = 100;

export type AvailabilityListener = (people: ReadonlyMap<UserId, Availability>) => void;

export class HousePeople {
  readonly #connection: Connection;
  readonly #watchers = new Map<object, readonly UserId[]>();
  readonly #listeners = new Set<AvailabilityListener>();
  #availability: ReadonlyMap<UserId, Availability> = new Map();
  #watched: readonly UserId[] = [];
  #saysWatched = false;
  #looking = true;
  #active = true;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves with the call that rings; with nothing if they called at the same moment: then theirs is accepted. */
  startCall(person: UserId, video: boolean): Promise<Call | undefined> {
    return this.#ring({ type: 'start_call', person, video });
  }

  /** Into the room where this connection sits. */
  ringIn(person: UserId): Promise<Call | undefined> {
    return this.#ring({ type: 'ring_in', person });
  }

  async answer(type: 'accept_call' | 'decline_call' | 'cancel_call' | 'ignore_call', call: CallId): Promise<void> {
    await this.#connection.request({ type, call });
  }

  async seeMissed(): Promise<void> {
    await this.#connection.request({ type: 'see_missed' });
  }

  async setStatus(status: Status): Promise<void> {
    await this.#connection.request({ type: 'set_status', status });
  }

  /** Whether somebody uses this window. */
  setActive(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    this.#connection.notify({ type: 'set_active', active });
  }

  /** Of everybody who is watched, as far as it is known. */
  get availability(): ReadonlyMap<UserId, Availability> {
    return this.#availability;
  }

  onAvailability(listener: AvailabilityListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Several lists may watch at once; each lets go by what is returned. */
  watch(people: readonly UserId[]): () => void {
    const watcher = {};
    this.#watchers.set(watcher, people);
    this.#sayWatched();
    return () => {
      if (this.#watchers.delete(watcher)) this.#sayWatched();
    };
  }

  /** Nobody is watched from a page that nobody sees. */
  setLooking(looking: boolean): void {
    this.#looking = looking;
    this.#sayWatched();
  }

  /** A new connection knows nothing of what was said on the one before. */
  opened(): void {
    if (!this.#active) this.#connection.notify({ type: 'set_active', active: false });
    if (this.#watched.length > 0) this.#connection.notify({ type: 'watch_people', people: [...this.#watched] });
  }

  changed(change: HomeChange): void {
    if (change.type !== 'availability_changed') return;
    const availability = new Map(this.#availability);
    for (const one of change.people) availability.set(one.person, one.availability);
    this.#tell(availability);
  }

  async #ring(intent: Extract<Intent, { type: 'start_call' | 'ring_in' }>): Promise<Call | undefined> {
    const answer = await this.#connection.request(intent);
    return answer?.type === 'calling' ? answer.call : undefined;
  }

  /** Once for all that changes in one turn: a list lets go of the old people and takes the new ones. */
  #sayWatched(): void {
    if (this.#saysWatched) return;
    this.#saysWatched = true;
    queueMicrotask(() => {
      this.#saysWatched = false;
      const wanted = this.#looking ? [...this.#watchers.values()].flat() : [];
      const people = [...new Set(wanted)].slice(0, MOST_WATCHED);
      if (people.length === this.#watched.length && people.every((one) => this.#watched.includes(one))) return;
      this.#watched = people;
      this.#connection.notify({ type: 'watch_people', people });
      this.#tell(new Map([...this.#availability].filter(([person]) => people.includes(person))));
    });
  }

  #tell(availability: ReadonlyMap<UserId, Availability>): void {
    this.#availability = availability;
    for (const listener of [...this.#listeners]) listener(availability);
  }
}
