/** The share sheet: one for all places. Who can enter with this link, opening and closing the room, a better name. */

import type { Door } from '../protocol/generated.ts';
import type { Http } from '../session/http.ts';
import type { Browser } from './browser.ts';
import { problemFrom } from './problem.ts';
import { hardToGuess, isGuessable, roomPath } from './room_name.ts';
import type { RoomAccess, ShareScreen, ShareState } from './screens.ts';
import { Store } from './store.ts';

const COPIED_MS = 2_000;

export interface SharedRoom {
  readonly name: string;
  readonly access: RoomAccess;
  readonly owner: boolean;
}

export interface SharePorts {
  readonly browser: Browser;
  readonly http: Http;
  /** Whether this house has guests at all. */
  readonly guests: boolean;
  /** The server took a change. */
  changed(door: Door): void;
}

export class ShareModel extends Store<ShareState> implements ShareScreen {
  readonly #ports: SharePorts;
  #room: SharedRoom;
  #cancelCopied = (): void => {};

  constructor(ports: SharePorts, room: SharedRoom) {
    super(shown(ports, room, { busy: false, copied: false, copyFailed: false }));
    this.#ports = ports;
    this.#room = room;
  }

  /** The room was changed, here or by somebody else. */
  follow(room: SharedRoom): void {
    const renamed = room.name !== this.#room.name;
    this.#room = room;
    const { busy, copied, copyFailed, problem, offeredName } = this.state;
    this.set({
      ...shown(this.#ports, room, { busy, copied, copyFailed }),
      ...(problem ? { problem } : {}),
      ...(offeredName && !renamed && room.access === 'guests' ? { offeredName } : {}),
    });
  }

  setAllowGuests(on: boolean): void {
    const { name } = this.#room;
    const access = on ? 'guests' : 'accounts';
    this.#change({ name, access }, () => {
      const offer = on && isGuessable(this.#room.name);
      this.patch({ offeredName: offer ? this.#offer() : undefined });
    });
  }

  useOfferedName(): void {
    const { offeredName } = this.state;
    if (!offeredName) return;
    this.#change({ name: this.#room.name, new_name: offeredName }, () => this.patch({ offeredName: undefined }));
  }

  keepName(): void {
    this.patch({ offeredName: undefined });
  }

  copy(): void {
    this.#cancelCopied();
    this.#ports.browser.copy(this.state.link).then(
      () => {
        this.patch({ copied: true, copyFailed: false });
        this.#cancelCopied = this.#ports.browser.clock.after(COPIED_MS, () => this.patch({ copied: false }));
      },
      () => this.patch({ copied: false, copyFailed: true }),
    );
  }

  shareNatively(): void {
    // Closing the system's sheet is a decision and no problem.
    this.#ports.browser.shareNatively({ title: this.#room.name, url: this.state.link }).catch(() => {});
  }

  close(): void {
    this.#cancelCopied();
  }

  #offer(): string {
    return hardToGuess(this.#room.name, (length) => this.#ports.browser.randomBytes(length));
  }

  #change(change: Parameters<Http['changeRoom']>[0], done: () => void): void {
    if (this.state.busy) return;
    this.patch({ busy: true, problem: undefined });
    this.#ports.http.changeRoom(change).then(
      (door) => {
        this.patch({ busy: false });
        this.follow({ name: door.name, access: door.access, owner: door.owner });
        done();
        this.#ports.changed(door);
      },
      (error) => this.patch({ busy: false, problem: problemFrom(error) }),
    );
  }
}

function shown(
  { browser, guests }: SharePorts,
  { name, access, owner }: SharedRoom,
  rest: { busy: boolean; copied: boolean; copyFailed: boolean },
): ShareState {
  return {
    roomName: name,
    link: browser.address().origin + roomPath(name, access),
    access,
    canShareNatively: browser.canShareNatively,
    ...(owner && (guests || access === 'guests') ? { allowGuests: access === 'guests' } : {}),
    ...rest,
  };
}
