/** The home page: rooms as doors with their lamps, and the dialog that leads to any room by its name. */

import type { Home } from '../protocol/generated.ts';
import type { Client } from '../session/client.ts';
import type { Http } from '../session/http.ts';
import type { Browser } from './browser.ts';
import { ContactsModel } from './people/contacts.ts';
import { HistoryModel } from './people/history.ts';
import type { CallerScreen } from './people/screens.ts';
import { hardToGuess, isGuessable, OPEN_PREFIX, readRoomText, roomKey, roomPath, writeRoomText } from './room_name.ts';
import { MyRoomsModel } from './rooms/my_rooms.ts';
import type { HomeScreen, HomeState, NewCallState, RoomDoor } from './screens.ts';
import { Store } from './store.ts';

const MATCHES = 5;

export interface HomePorts {
  readonly browser: Browser;
  readonly client: Client;
  readonly http: Http;
  /** Whether this house has guests at all. */
  readonly guests: boolean;
  readonly caller: CallerScreen;
  /** Id of the reader. */
  readonly you: string;
  navigate(path: string): void;
}

export class HomeModel extends Store<HomeState> implements HomeScreen {
  readonly history: HistoryModel;
  readonly contacts: ContactsModel;
  readonly mine: MyRoomsModel;
  readonly #ports: HomePorts;
  readonly #unlisten: () => void;
  /** Of the dialog, while it is open. */
  #finder: ContactsModel | undefined;
  #text = '';
  #offeredFor: { name: string; offer: string } | undefined;

  constructor(ports: HomePorts) {
    const { client } = ports;
    super({ loaded: false, live: client.live, rooms: [] });
    this.#ports = ports;
    this.history = new HistoryModel(ports);
    this.contacts = new ContactsModel(ports);
    this.mine = new MyRoomsModel(ports);
    this.#unlisten = client.listen({
      live: (live) => this.patch({ live }),
      home: (home) => this.#show(home),
    });
    if (client.home) this.#show(client.home);
  }

  close(): void {
    this.#unlisten();
    this.history.close();
    this.contacts.close();
    this.mine.close();
    this.#finder?.close();
  }

  openNewCall(): void {
    this.#finder ??= new ContactsModel(this.#ports);
    this.setRoomText('');
  }

  closeNewCall(): void {
    this.#finder?.close();
    this.#finder = undefined;
    this.patch({ newCall: undefined });
  }

  setRoomText(text: string): void {
    this.#text = text;
    this.patch({ newCall: this.#newCall() });
  }

  setAllowGuests(on: boolean): void {
    const { name } = readRoomText(this.#text);
    this.setRoomText((on ? OPEN_PREFIX : '') + name);
  }

  useOfferedName(): void {
    const offered = this.state.newCall?.offeredName;
    if (offered) this.setRoomText(OPEN_PREFIX + offered);
  }

  enterRoom(): void {
    if (!this.state.newCall?.canEnter) return;
    const { name, open } = readRoomText(this.#text);
    const { guests, http, navigate } = this.#ports;
    const access = open && guests ? 'guests' : 'accounts';
    this.closeNewCall();
    // Made now and not at the first step inside: an address that is copied at the door must lead somewhere.
    http.createRoom(writeRoomText(name, access)).then(
      (door) => navigate(roomPath(door.name, door.access)),
      () => navigate(roomPath(name, access)),
    );
  }

  #show(home: Home): void {
    const rooms = home.rooms.map(
      ({ id, name, access, kind, knock, owner, pinned, people, visited_at }): RoomDoor => ({
        id,
        name,
        path: roomPath(name, access),
        access,
        kind,
        knock,
        owner,
        pinned,
        people,
        ...(visited_at === undefined ? {} : { visitedAt: visited_at }),
      }),
    );
    rooms.sort((a, b) => Number(b.people > 0) - Number(a.people > 0) || (b.visitedAt ?? 0) - (a.visitedAt ?? 0));
    this.patch({ loaded: true, rooms });
    this.mine.follow(rooms);
    if (this.state.newCall) this.patch({ newCall: this.#newCall() });
  }

  #newCall(): NewCallState | undefined {
    const people = this.#finder;
    if (!people) return undefined;
    const { guests } = this.#ports;
    const { name, open, problem } = readRoomText(this.#text);
    const offered = guests && open && name !== '' && !problem && isGuessable(name) && !this.#known(name);
    return {
      people,
      text: this.#text,
      canEnter: name !== '' && !problem,
      matches: this.#matches(name),
      ...(guests ? { allowGuests: open } : {}),
      ...(problem ? { nameProblem: problem } : {}),
      ...(offered ? { offeredName: this.#offer(name) } : {}),
    };
  }

  /** The same offer for as long as the name is the same: it must not change under somebody's finger. */
  #offer(name: string): string {
    if (this.#offeredFor?.name !== name) {
      const offer = hardToGuess(name, (length) => this.#ports.browser.randomBytes(length));
      this.#offeredFor = { name, offer };
    }
    return this.#offeredFor?.offer ?? name;
  }

  #known(name: string): boolean {
    return this.state.rooms.some((room) => roomKey(room.name) === roomKey(name));
  }

  #matches(name: string): readonly RoomDoor[] {
    const wanted = roomKey(name);
    return this.state.rooms.filter((room) => roomKey(room.name).includes(wanted)).slice(0, MATCHES);
  }
}
