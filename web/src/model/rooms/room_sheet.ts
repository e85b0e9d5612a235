/** All that an owner may do with a room: its name, who enters and who knocks, members, and its end. */

import type { ChangeRoom, Person } from '../../protocol/generated.ts';
import type { Http } from '../../session/http.ts';
import { RoomsHttp } from '../../session/rooms.ts';
import type { Browser } from '../browser.ts';
import { calleeOf } from '../calls/people.ts';
import type { RoomDoor } from '../screens.ts';
import { Work } from '../work.ts';
import type { MemberView, RoomSheetScreen, RoomSheetState } from './screens.ts';

const TYPING_MS = 200;

export interface RoomSheetPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly guests: boolean;
}

export class RoomSheetModel extends Work<RoomSheetState> implements RoomSheetScreen {
  /** Id of the room, whatever it is called at the moment. */
  readonly room: string;
  readonly #ports: RoomSheetPorts;
  readonly #rooms: RoomsHttp;
  #found: readonly MemberView[] = [];
  /** Counts searches: a late answer to an old one is dropped. */
  #asked = 0;
  #cancelTyping = (): void => {};

  constructor(ports: RoomSheetPorts, room: RoomDoor) {
    super({
      roomName: room.name,
      knock: room.knock,
      people: room.people,
      busy: false,
      text: '',
      found: [],
      typeMore: false,
    });
    this.room = room.id;
    this.#ports = ports;
    this.#rooms = new RoomsHttp(ports.http.api);
    this.follow(room);
    void this.#load();
  }

  /** The room as it is now. */
  follow({ name, access, knock, people }: RoomDoor): void {
    const guests = this.#ports.guests || access === 'guests';
    this.patch({ roomName: name, knock, people, allowGuests: guests ? access === 'guests' : undefined });
  }

  async rename(name: string): Promise<boolean> {
    return this.#change({ new_name: name });
  }

  setAllowGuests(on: boolean): void {
    void this.#change({ access: on ? 'guests' : 'accounts' });
  }

  setKnock(on: boolean): void {
    void this.#change({ knock: on });
  }

  setText(text: string): void {
    this.patch({ text });
    this.#cancelTyping();
    this.#cancelTyping = this.#ports.browser.clock.after(TYPING_MS, () => void this.#search());
  }

  add(person: MemberView): void {
    void this.attempt(() => this.#rooms.addMember(this.state.roomName, person.id)).then((answer) => {
      if (!answer) return;
      this.patch({ members: answer.members.map(memberOf), text: '' });
      this.#found = [];
      this.#draw();
    });
  }

  removeMember(id: string): void {
    void this.attempt(() => this.#rooms.removeMember(this.state.roomName, id)).then((gone) => {
      if (!gone) return;
      this.patch({ members: this.state.members?.filter((member) => member.id !== id) });
      this.#draw();
    });
  }

  async remove(): Promise<boolean> {
    return (await this.attempt(() => this.#rooms.remove(this.state.roomName))) === true;
  }

  close(): void {
    this.#cancelTyping();
    this.#asked += 1;
  }

  async #load(): Promise<void> {
    const answer = await this.guard(() => this.#rooms.members(this.state.roomName));
    if (answer) this.patch({ members: answer.members.map(memberOf) });
  }

  async #change(change: Omit<ChangeRoom, 'name'>): Promise<boolean> {
    const { http } = this.#ports;
    const door = await this.attempt(() => http.changeRoom({ name: this.state.roomName, ...change }));
    if (!door) return false;
    const { name, access, knock } = door;
    const shown = this.state.allowGuests === undefined ? {} : { allowGuests: access === 'guests' };
    this.patch({ roomName: name, knock, ...shown });
    return true;
  }

  async #search(): Promise<void> {
    const asked = ++this.#asked;
    const text = this.state.text.trim();
    const answer = text === '' ? undefined : await this.guard(() => this.#ports.http.people(text));
    if (asked !== this.#asked) return;
    this.#found = answer?.people.map(memberOf) ?? [];
    this.patch({ typeMore: answer?.type_more ?? false });
    this.#draw();
  }

  #draw(): void {
    const members = this.state.members ?? [];
    this.patch({ found: this.#found.filter(({ id }) => !members.some((member) => member.id === id)) });
  }
}

function memberOf(person: Person): MemberView {
  return { ...calleeOf(person), username: person.username };
}
