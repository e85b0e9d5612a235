/** Rooms of one's own over HTTP: pins, members, the personal room, the end of a room. Every failure is a `Refusal`. */

import type { Door, RoomMembers } from '../protocol/generated.ts';
import type { Api } from './api.ts';

export class RoomsHttp {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  setPinned(room: string, pinned: boolean): Promise<true> {
    return pinned
      ? this.#api.done('PUT', '/rooms/pin', { room })
      : this.#api.done('DELETE', `/rooms/pin?room=${encodeURIComponent(room)}`);
  }

  /** Made if need be. */
  personal(): Promise<Door> {
    return this.#api.json('POST', '/rooms/personal', {});
  }

  /** For the owner only, as is what follows. */
  members(room: string): Promise<RoomMembers> {
    return this.#api.json('GET', `/rooms/members?room=${encodeURIComponent(room)}`);
  }

  addMember(room: string, person: string): Promise<RoomMembers> {
    return this.#api.json('PUT', '/rooms/members', { room, person });
  }

  removeMember(room: string, person: string): Promise<true> {
    const query = `room=${encodeURIComponent(room)}&person=${encodeURIComponent(person)}`;
    return this.#api.done('DELETE', `/rooms/members?${query}`);
  }

  remove(room: string): Promise<true> {
    return this.#api.done('DELETE', `/rooms?room=${encodeURIComponent(room)}`);
  }
}
