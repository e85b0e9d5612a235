/**
 * What rings, in and out, as far as this connection was told: a pure value that follows the home channel. Remembers for a
 * while how calls ended, since the end may be told before or after whoever waits for it asks.
 */

import type { Call, CallEnd, CallId, Home, HomeChange, RoomId, UserId } from '../../protocol/generated.ts';

/** So many ended calls are remembered. */
const REMEMBERED = 20;

export class Rings {
  #calls: readonly Call[] = [];
  readonly #seen = new Map<CallId, Call>();
  readonly #ends = new Map<CallId, CallEnd>();
  /** Answered or silenced here: never shown again, whatever the server still says. */
  readonly #putAway = new Set<CallId>();
  /** Whether the server's last word is known: not while the connection is down. */
  #fresh = false;

  follow(home: Home): void {
    this.#fresh = true;
    this.#calls = home.calls;
    for (const call of home.calls) remember(this.#seen, call.id, call);
  }

  changed(change: HomeChange): void {
    if (change.type === 'call_ended') remember(this.#ends, change.call, change.end);
  }

  /** The connection is gone: what rings now is not known. */
  lost(): void {
    this.#fresh = false;
  }

  get fresh(): boolean {
    return this.#fresh;
  }

  /** The call that rings here, the longest ringing first. */
  get incoming(): Call | undefined {
    if (!this.#fresh) return undefined;
    return this.#calls.find((call) => call.direction === 'incoming' && !this.#putAway.has(call.id));
  }

  putAway(call: CallId): void {
    this.#putAway.add(call);
  }

  /** Who is rung from here into this room. */
  outgoing(room: RoomId): readonly Call[] {
    return this.#calls.filter((call) => call.direction === 'outgoing' && call.room === room);
  }

  incomingTo(room: RoomId): Call | undefined {
    return this.#calls.find((call) => call.direction === 'incoming' && call.room === room);
  }

  /** The last call that this person made, ringing still or not. */
  lastFrom(person: UserId): Call | undefined {
    return [...this.#seen.values()].findLast((call) => call.direction === 'incoming' && call.person.id === person);
  }

  endOf(call: CallId): CallEnd | undefined {
    return this.#ends.get(call);
  }
}

function remember<T>(map: Map<CallId, T>, id: CallId, value: T): void {
  map.delete(id);
  map.set(id, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest);
}
