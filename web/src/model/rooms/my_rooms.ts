/**
 * Rooms of one's own on the home page: pinned ones first, own ones, the personal one, and where one was last. What the
 * owner's sheet can do is loaded when it is opened.
 */

import type { Http } from '../../session/http.ts';
import { RoomsHttp } from '../../session/rooms.ts';
import type { Browser } from '../browser.ts';
import { problemFrom } from '../problem.ts';
import { roomPath } from '../room_name.ts';
import type { RoomDoor } from '../screens.ts';
import { Store } from '../store.ts';
import type { RoomSheetModel } from './room_sheet.ts';
import type { MyRoomsScreen, MyRoomsState, RoomGroup, RoomGroupKind } from './screens.ts';

/** Of those that are neither pinned nor one's own. */
const RECENT = 8;

export interface MyRoomsPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly guests: boolean;
  navigate(path: string): void;
}

export class MyRoomsModel extends Store<MyRoomsState> implements MyRoomsScreen {
  readonly #ports: MyRoomsPorts;
  readonly #rooms: RoomsHttp;
  #sheet: RoomSheetModel | undefined;
  /** Counts what was opened: a sheet that is loaded when it was closed again is not shown. */
  #opening = 0;

  constructor(ports: MyRoomsPorts) {
    super({ groups: [], busy: false });
    this.#ports = ports;
    this.#rooms = new RoomsHttp(ports.http.api);
  }

  /** The rooms as they are now. */
  follow(rooms: readonly RoomDoor[]): void {
    this.patch({
      groups: groupsOf(rooms),
      offerPersonal: !rooms.some((room) => room.kind === 'personal' && room.owner),
    });
    const open = this.#sheet;
    if (!open) return;
    const room = rooms.find(({ id }) => id === open.room);
    if (room) open.follow(room);
    else this.closeSheet();
  }

  setPinned(room: RoomDoor, pinned: boolean): void {
    this.patch({ problem: undefined });
    this.#rooms.setPinned(room.name, pinned).catch((error) => this.patch({ problem: problemFrom(error) }));
  }

  makePersonal(): void {
    if (this.state.busy) return;
    this.patch({ busy: true, problem: undefined });
    this.#rooms.personal().then(
      ({ name, access }) => this.#ports.navigate(roomPath(name, access)),
      (error) => this.patch({ busy: false, problem: problemFrom(error) }),
    );
  }

  openSheet(room: RoomDoor): void {
    const { browser, guests, http } = this.#ports;
    const opening = ++this.#opening;
    import('./room_sheet.ts').then(
      ({ RoomSheetModel }) => {
        if (opening !== this.#opening) return;
        this.#sheet?.close();
        this.#sheet = new RoomSheetModel({ browser, http, guests }, room);
        this.patch({ sheet: this.#sheet, problem: undefined });
      },
      () => opening === this.#opening && this.patch({ problem: { code: 'offline' } }),
    );
  }

  closeSheet(): void {
    this.#opening += 1;
    this.#sheet?.close();
    this.#sheet = undefined;
    this.patch({ sheet: undefined });
  }

  close(): void {
    this.closeSheet();
  }
}

/** Everybody's room stands in one place only. */
export function groupsOf(rooms: readonly RoomDoor[]): readonly RoomGroup[] {
  const kindOf = (room: RoomDoor): RoomGroupKind => (room.pinned ? 'pinned' : room.owner ? 'own' : 'recent');
  const group = (kind: RoomGroupKind): RoomGroup => {
    const those = rooms.filter((room) => kindOf(room) === kind);
    return { kind, rooms: kind === 'recent' ? those.slice(0, RECENT) : those };
  };
  return [group('pinned'), group('own'), group('recent')].filter((one) => one.rooms.length > 0);
}
