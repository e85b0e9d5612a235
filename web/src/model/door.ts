/**
 * The door of one room, for accounts and guests alike: what stands there, who one is, and the way in. Everything that
 * joining needs is prepared while one stands here.
 */

import type { Door, RoomLeftReason, RoomView, WaitingReason } from '../protocol/generated.ts';
import type { Client } from '../session/client.ts';
import type { Http } from '../session/http.ts';
import { Refusal } from '../session/refusal.ts';
import { type DoorWishes, joinPath } from './address.ts';
import type { Browser } from './browser.ts';
import type { Call } from './call.ts';
import type { Device } from './device_id.ts';
import type { DevicesModel } from './devices.ts';
import { Doorstep } from './doorstep.ts';
import { problemFrom } from './problem.ts';
import type { Remembered } from './remembered.ts';
import { readPersonName, readRoomText, roomPath, sameRoom, writeRoomText } from './room_name.ts';
import type { DoorScreen, DoorState } from './screens.ts';
import { ShareModel } from './share.ts';
import { Store } from './store.ts';

export interface DoorPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly remembered: Remembered;
  readonly devices: DevicesModel;
  readonly device: Promise<Device>;
  /** Whether this house has guests at all. */
  readonly guests: boolean;
  /** The secret of the invite link that one came by. */
  readonly invite?: string | undefined;
  /** The account's own connection; absent for guests. */
  readonly client: Client | undefined;
  readonly accountName: string | undefined;
  newCall(): Call;
  newGuestClient(grant: string): Client;
  /** Inside: from now on the call is the meeting's. */
  entered(call: Call, view: RoomView, client: Client): void;
  left(reason: RoomLeftReason, roomName: string): void;
}

export class DoorModel extends Store<DoorState> implements DoorScreen {
  readonly #ports: DoorPorts;
  readonly #wishes: DoorWishes;
  /** As the address says it, `public/` included. */
  #text: string;
  #call: Call | undefined;
  readonly #doorstep: Doorstep;
  /** For somebody with an account an invite only names the room. */
  readonly #invite: string | undefined;
  /** The grant that is tried was one from before: it may be over, and another may be had. */
  #grantIsOld = false;
  /** What an earlier attempt to join started is stale. */
  #attempt = 0;
  #share: ShareModel | undefined;
  #unlisten = (): void => {};
  /** The server has told what stands at this door. */
  #seen = false;
  /** One owns this room or has been inside: only then may an address decide what a click decides otherwise. */
  #known = false;
  #closed = false;

  constructor(ports: DoorPorts, text: string, wishes: DoorWishes) {
    const room = readRoomText(text);
    const guest = ports.accountName === undefined;
    const nameless = ports.invite === undefined && room.name === '';
    const name = ports.accountName ?? wishes.name ?? ports.remembered.guestName;
    super({
      roomName: room.name,
      phase: room.problem || nameless ? 'name_invalid' : 'loading',
      viewer: guest ? 'guest' : 'account',
      access: room.open ? 'guests' : 'accounts',
      knock: false,
      knocks: false,
      exists: false,
      owner: false,
      invited: guest && ports.invite !== undefined,
      name,
      canJoin: false,
    });
    this.#ports = ports;
    this.#doorstep = new Doorstep(ports);
    this.#wishes = wishes;
    this.#invite = guest ? ports.invite : undefined;
    this.#text = writeRoomText(room.name, room.open ? 'guests' : 'accounts');
  }

  /** Looks who may enter, or comes back to the meeting that a reload left. */
  async open(): Promise<void> {
    if (this.state.phase === 'name_invalid') return;
    const { client, device, devices, invite, remembered } = this.#ports;
    // Only the invite knows which room it is.
    if (invite !== undefined) await this.#look();
    if (invite !== undefined && !this.#seen) return;
    const before = remembered.meeting(this.state.roomName);
    const back = before && (await device).kept ? before : undefined;
    if (this.#closed) return;
    const { auto, muteMicrophone, muteCamera } = this.#wishes;
    const begun = devices.begin({
      microphone: back ? back.microphone : !muteMicrophone,
      camera: back ? back.camera : !muteCamera && auto !== 'audio',
      explained: back !== undefined,
    });
    this.#call = this.#ports.newCall();
    this.#unlisten = client?.listen({ home: () => this.#countPeople() }) ?? this.#unlisten;
    if (back) {
      this.#tryToEnter();
      return;
    }
    if (invite === undefined) await this.#look();
    if (!auto || !this.#known) return;
    await begun;
    this.join();
  }

  setName(name: string): void {
    if (this.state.viewer !== 'guest') return;
    this.patch({ name, canJoin: this.#canJoin(name) });
    this.#stand();
  }

  stir(): void {
    this.#doorstep.stir();
  }

  join(): void {
    if (this.state.phase !== 'open' || !this.state.canJoin) return;
    this.#ports.devices.skip();
    this.#tryToEnter();
  }

  cancel(): void {
    if (this.state.phase !== 'joining' && this.state.phase !== 'waiting') return;
    this.#giveUp();
    this.patch({ phase: 'open', canJoin: this.#canJoin(this.state.name) });
    this.#stand();
  }

  retry(): void {
    if (this.state.phase !== 'failed') return;
    this.patch({ phase: 'loading', problem: undefined });
    // Behind an invite nothing was begun before the room was known.
    if (this.#call) void this.#look();
    else void this.open();
  }

  openShare(): void {
    if (this.state.phase === 'loading' || this.#share) return;
    const { browser, guests, http } = this.#ports;
    const { roomName: name, access, knock, owner, exists } = this.state;
    const share = new ShareModel(
      { browser, http, guests, account: this.#ports.client !== undefined, changed: (door) => this.#show(door) },
      { name, access, knock, owner, known: this.#known },
    );
    this.#share = share;
    this.patch({ share });
    if (exists) return;
    // A link that is given away must lead somewhere.
    http.createRoom(writeRoomText(name, access)).then(
      (door) => {
        this.#show(door);
        share.follow(door);
      },
      (error) => share.patch({ problem: problemFrom(error) }),
    );
  }

  closeShare(): void {
    this.#share?.close();
    this.#share = undefined;
    this.patch({ share: undefined });
  }

  /** One goes elsewhere. The devices stay open only for a meeting. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#attempt++;
    this.#unlisten();
    this.closeShare();
    if (this.state.phase === 'waiting') this.#ports.remembered.setMeeting(undefined);
    this.#call?.close();
    this.#doorstep.dismiss();
    this.#doorstep.close();
    this.#ports.devices.end();
  }

  async #look(): Promise<void> {
    const { http, invite } = this.#ports;
    // Named once, the room of an account is looked at as any other.
    const invited = this.#invite ?? (this.#seen ? undefined : invite);
    try {
      this.#show(await (invited === undefined ? http.door(this.#text) : http.openInvite(invited)));
    } catch (error) {
      if (!this.#closed) this.#notShown(error);
    }
  }

  #tryToEnter(): void {
    this.patch({ phase: 'joining', problem: undefined, canJoin: false });
    this.#doorstep.stand(undefined);
    this.closeShare();
    const attempt = ++this.#attempt;
    this.#enter(attempt).catch((error) => {
      if (attempt === this.#attempt) this.#refused(error);
    });
  }

  async #enter(attempt: number): Promise<void> {
    const [client, device] = await Promise.all([this.#ports.client ?? this.#asGuest(), this.#ports.device]);
    if (attempt !== this.#attempt || this.#closed) return;
    this.#call ??= this.#ports.newCall();
    const call = this.#call;
    call.listener = {
      view: (view) => this.#entered(call, view, client),
      waiting: (reason) => this.#waits(reason),
      refused: (refusal) => this.#refused(refusal),
      ended: (refusal) => this.#refused(refusal),
      left: (reason) => this.#turnedAway(reason),
    };
    call.join(client, this.#text, device.id);
    client.start();
  }

  async #asGuest(): Promise<Client> {
    const name = readPersonName(this.state.name);
    if (!name) throw new Refusal('name_invalid');
    const { client, old } = await this.#doorstep.guest(name, this.state.roomName, this.#text, this.#invite);
    this.#grantIsOld = old;
    return client;
  }

  #waits(waitsFor: WaitingReason): void {
    this.patch({ phase: 'waiting', waitsFor });
    const { devices, remembered } = this.#ports;
    if (waitsFor !== 'knocking') return;
    // A reload comes back to the place at the door, as it comes back to a seat.
    const { camera, microphone } = devices.state;
    remembered.setMeeting({ room: this.state.roomName, microphone: microphone.on, camera: camera.on });
  }

  #entered(call: Call, view: RoomView, client: Client): void {
    this.#closed = true;
    this.#attempt++;
    this.#unlisten();
    this.closeShare();
    call.listener = {};
    this.#doorstep.close();
    this.#ports.entered(call, view, client);
  }

  #turnedAway(reason: RoomLeftReason): void {
    this.#giveUp();
    if (reason === 'guests_not_allowed') this.patch({ phase: 'guests_not_allowed', canJoin: false });
    else this.#ports.left(reason, this.state.roomName);
  }

  #refused(error: unknown): void {
    this.#giveUp();
    const problem = problemFrom(error);
    if (this.state.viewer === 'guest') {
      // The next attempt asks for a new grant: this one may be what was refused.
      this.#ports.remembered.setGrant(undefined);
      if (problem.code === 'guests_not_allowed') {
        this.patch({ phase: 'guests_not_allowed', canJoin: false });
        return;
      }
      if (problem.code === 'link_invalid') {
        this.patch({ phase: 'invite_invalid', canJoin: false });
        return;
      }
      if (problem.code === 'sign_in_required' && this.#grantIsOld) {
        this.#tryToEnter();
        return;
      }
    }
    if (this.#seen) {
      this.patch({ phase: 'open', problem, canJoin: this.#canJoin(this.state.name) });
      this.#stand();
      return;
    }
    // Came back from a reload and had no look at the door yet.
    this.patch({ phase: 'loading', problem });
    void this.#look();
  }

  /** Back to standing at the door: a call that was given up is not joined again. */
  #giveUp(): void {
    this.#attempt++;
    this.#call?.close();
    this.#doorstep.dismiss();
    this.#ports.remembered.setMeeting(undefined);
    this.#call = this.#closed ? undefined : this.#ports.newCall();
  }

  #show(door: Door): void {
    if (this.#closed) return;
    const { browser } = this.#ports;
    const { name, access, knock, exists, owner, member, known, people } = door;
    this.#seen = true;
    this.#known = known && this.state.viewer === 'account';
    this.#text = writeRoomText(name, access);
    const { hash, pathname } = browser.address();
    const path = this.#invite === undefined ? roomPath(name, access) : joinPath(this.#invite);
    // What the fragment asked for is done: it must not be done again by a reload, nor stand in a link that is copied.
    if (pathname + hash !== path) browser.replace(path);
    const opening = this.state.phase === 'loading';
    const knocks = knock && !owner && !member;
    this.patch({ roomName: name, access, knock, knocks, exists, owner, people, ...(opening ? { phase: 'open' } : {}) });
    if (this.state.phase === 'open') this.patch({ canJoin: this.#canJoin(this.state.name) });
    this.#countPeople();
    this.#stand();
  }

  #notShown(error: unknown): void {
    const problem = problemFrom(error);
    if (problem.code === 'guests_not_allowed') this.patch({ phase: 'guests_not_allowed' });
    else if (problem.code === 'link_invalid') this.patch({ phase: 'invite_invalid' });
    else if (problem.code === 'name_invalid') this.patch({ phase: 'name_invalid' });
    else this.patch({ phase: 'failed', problem });
  }

  /** Whoever may come in as they are has everything up before they do. */
  #stand(): void {
    const { canJoin, exists, knocks, name, phase, roomName: room, viewer } = this.state;
    const call = this.#call;
    if (phase !== 'open' || !canJoin || !exists || knocks || !call) {
      this.#doorstep.stand(undefined);
      return;
    }
    const guest = viewer === 'guest' ? readPersonName(name) : undefined;
    this.#doorstep.stand({ text: this.#text, room, name: guest, invite: this.#invite, call });
  }

  #countPeople(): void {
    const rooms = this.#ports.client?.home?.rooms;
    const room = rooms?.find((one) => sameRoom(one.name, this.state.roomName));
    if (room) this.patch({ people: room.people });
  }

  #canJoin(name: string): boolean {
    return this.state.viewer === 'account' || readPersonName(name) !== undefined;
  }
}
