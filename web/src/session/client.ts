/**
 * One person's connection with what runs on it: the home channel and at most one seat in a room. Keeps both channels'
 * state by the reducer, asks for a snapshot after a gap, and takes the seat again after every reconnect.
 */

import type {
  App,
  DeviceId,
  Home,
  HomeChange,
  Me,
  QualityReport,
  RoomId,
  RoomLeftReason,
  RoomView,
  ServerMessage,
  SlotMids,
  Source,
  UplinkMids,
  WaitingReason,
  Wanted,
} from '../protocol/generated.ts';
import { type Answer, Connection, type ConnectionPorts, type Intent } from './connection.ts';
import { HousePeople } from './people.ts';
import { type Channel, type HomeMessage, type RoomMessage, reduceHome, reduceRoom } from './reduce.ts';
import { asRefusal, Refusal } from './refusal.ts';

export interface ClientListener {
  /** Whether the socket is there. */
  /** `restarts`: the server went by order and will be back. */
  live?(live: boolean, restarts: boolean): void;
  home?(home: Home): void;
  /** What changed, after `home`: for what is no part of its state. */
  changed?(change: HomeChange): void;
  /** Which app the server holds. */
  app?(app: App): void;
  /** After a snapshot: what is told by changes alone may have changed unheard. */
  anew?(): void;
  /** Whom the server takes us for. */
  me?(me: Me): void;
  room?(room: RoomView): void;
  /** The seat waits at the door. */
  waiting?(reason: WaitingReason): void;
  left?(reason: RoomLeftReason): void;
  /** What `prepare` brought up is gone. */
  unprepared?(connection: string): void;
  /** Taking the seat was refused; it is not tried again. */
  refused?(refusal: Refusal): void;
  /** The session is over; the connection is closed for good. */
  ended?(refusal: Refusal): void;
}

/** A room with a name, or the room of a call. */
type SeatPlace = { readonly room: string } | { readonly call: RoomId };

interface Seat {
  place: SeatPlace;
  readonly device: DeviceId;
  readonly sources: Map<Source, boolean>;
  wanted: readonly Wanted[] | undefined;
  admitted: boolean;
  /** Stood at the door: what it published there was refused and has to be said again. */
  waited: boolean;
}

export interface OfferIntent {
  readonly sdp: string;
  readonly uplink: UplinkMids;
  readonly slots: SlotMids[];
  readonly connection?: string;
}

export interface AnswerToOffer {
  readonly sdp: string;
  readonly connection: string;
}

/** Refusals of `join_room` that pass by themselves: the next attempt is a new connection's. */
const PASSING = new Set(['offline', 'unavailable', 'internal', 'rate_limited']);

/** Whoever was not let in is told how long to wait before knocking again: that is no moment. */
const MOMENT_MS = 5_000;

function passes({ code, retryAfterMs }: Refusal): boolean {
  return PASSING.has(code) && !(code === 'rate_limited' && (retryAfterMs ?? 0) > MOMENT_MS);
}

export class Client {
  /** Who rings whom and who is there. */
  readonly people: HousePeople;
  readonly #connection: Connection;
  readonly #listeners = new Set<ClientListener>();
  #home: Channel<Home> | undefined;
  #room: Channel<RoomView> | undefined;
  #awaitingSnapshot = false;
  #seat: Seat | undefined;

  constructor(ports: ConnectionPorts) {
    this.#connection = new Connection(ports, {
      opened: () => this.#opened(),
      message: (message) => this.#message(message),
      down: (restarts) => this.#down(restarts),
      ended: (refusal) => this.#tell((listener) => listener.ended?.(refusal)),
    });
    this.people = new HousePeople(this.#connection);
  }

  get live(): boolean {
    return this.#connection.open;
  }

  get home(): Home | undefined {
    return this.#home?.value;
  }

  listen(listener: ClientListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(): void {
    this.#connection.start();
  }

  stop(): void {
    this.#seat = undefined;
    this.#connection.stop();
  }

  check(): void {
    this.#connection.check();
  }

  /** Takes a seat, now or as soon as there is a connection, and again after every reconnect until `leave`. */
  join(room: string, device: DeviceId, sources: ReadonlyMap<Source, boolean>): void {
    this.#sitDown({ room }, device, sources);
  }

  /** As `join`, into the room of a call that one started or accepted. */
  joinCall(call: RoomId, device: DeviceId, sources: ReadonlyMap<Source, boolean>): void {
    this.#sitDown({ call }, device, sources);
  }

  #sitDown(place: SeatPlace, device: DeviceId, sources: ReadonlyMap<Source, boolean>): void {
    this.#seat = { place, device, sources: new Map(sources), wanted: undefined, admitted: false, waited: false };
    this.#room = undefined;
    this.#connection.setLively(true);
    if (this.#connection.open) this.#takeSeat();
    else this.#connection.check();
  }

  /** At the door: the media connection before the seat. The next `join` of the same room makes it the seat's. */
  async prepare(room: string, device: DeviceId, offer: OfferIntent): Promise<AnswerToOffer> {
    return answered(await this.#connection.request({ type: 'prepare_room', room, device, ...offer }));
  }

  /** One goes away from the door. */
  unprepare(): void {
    if (!this.#seat) this.#connection.request({ type: 'leave_room' }).catch(() => {});
  }

  leave(): void {
    if (!this.#seat) return;
    this.#standUp();
    // Whether it is heard does not matter to the one who goes: the seat expires otherwise.
    this.#connection.request({ type: 'leave_room' }).catch(() => {});
  }

  publish(source: Source, muted: boolean): void {
    const seat = this.#seat;
    if (!seat || seat.sources.get(source) === muted) return;
    const published = seat.sources.has(source);
    seat.sources.set(source, muted);
    this.#say(published ? { type: 'set_muted', source, muted } : { type: 'publish', source, muted });
  }

  unpublish(source: Source): void {
    if (this.#seat?.sources.delete(source)) this.#say({ type: 'unpublish', source });
  }

  setWanted(wanted: readonly Wanted[]): void {
    if (!this.#seat) return;
    this.#seat.wanted = wanted;
    if (this.#room) this.#connection.notify({ type: 'set_wanted', wanted: [...wanted] });
  }

  async offer(offer: OfferIntent): Promise<AnswerToOffer> {
    return answered(await this.#connection.request({ type: 'offer', ...offer }));
  }

  /** Somebody who knocks may come in, or not. */
  async admit(knocking: string, admit: boolean): Promise<void> {
    await this.#connection.request({ type: 'admit', knocking, admit });
  }

  reportQuality(report: QualityReport): void {
    if (this.#room) this.#connection.notify({ type: 'report_quality', report });
  }

  slotReady(slot: number, generation: number): void {
    this.#connection.notify({ type: 'slot_ready', slot, generation });
  }

  noPicture(slot: number, generation: number): void {
    this.#connection.notify({ type: 'no_picture', slot, generation });
  }

  #say(intent: Intent): void {
    // What is refused or lost is said again with the next seat; the screen shows what the server decided.
    this.#connection.request(intent).catch(() => {});
  }

  #opened(): void {
    this.#awaitingSnapshot = false;
    this.people.opened();
    if (this.#seat) this.#takeSeat();
    this.#tell((listener) => listener.live?.(true, false));
  }

  #down(restarts: boolean): void {
    if (this.#seat) {
      this.#seat.admitted = false;
      this.#seat.waited = false;
    }
    this.#tell((listener) => listener.live?.(false, restarts));
  }

  #takeSeat(): void {
    const seat = this.#seat;
    if (!seat) return;
    const { device, place } = seat;
    const intent: Intent =
      'call' in place
        ? { type: 'join_call', room: place.call, device }
        : { type: 'join_room', room: place.room, device };
    this.#connection.request(intent).catch((error) => {
      if (this.#seat !== seat || seat.admitted || seat.waited) return;
      const refusal = asRefusal(error);
      if (passes(refusal)) {
        this.#connection.retry(refusal);
        return;
      }
      this.#standUp();
      this.#tell((listener) => listener.refused?.(refusal));
    });
    this.#publishAll(seat);
  }

  #publishAll(seat: Seat): void {
    for (const [source, muted] of seat.sources) this.#say({ type: 'publish', source, muted });
  }

  #standUp(): void {
    this.#seat = undefined;
    this.#room = undefined;
    this.#connection.setLively(false);
  }

  #message(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#tell((listener) => listener.me?.(message.me));
        this.#tell((listener) => listener.app?.(message.app));
        return;
      case 'home_snapshot':
      case 'home_delta':
        this.#homeMessage(message);
        return;
      case 'room_snapshot':
      case 'room_delta':
        this.#roomMessage(message);
        return;
      case 'waiting':
        if (!this.#seat) return;
        this.#seat.waited = true;
        this.#tell((listener) => listener.waiting?.(message.reason));
        return;
      case 'prepared_ended':
        this.#tell((listener) => listener.unprepared?.(message.connection));
        return;
      case 'room_left':
        if (!this.#seat) return;
        this.#standUp();
        this.#tell((listener) => listener.left?.(message.reason));
        return;
      default:
        return;
    }
  }

  #homeMessage(message: HomeMessage): void {
    const step = reduceHome(this.#home, message);
    if (step.kind === 'changed') {
      this.#home = step.channel;
      if (message.type === 'home_delta') this.people.changed(message.change);
      this.#tell((listener) => listener.home?.(step.channel.value));
      if (message.type === 'home_delta') this.#tell((listener) => listener.changed?.(message.change));
      else this.#tell((listener) => listener.anew?.());
    } else if (step.kind === 'gap') {
      this.#home = undefined;
      this.#connection.notify({ type: 'get_snapshot', channel: 'home' });
    }
  }

  #roomMessage(message: RoomMessage): void {
    const seat = this.#seat;
    if (!seat) return;
    if (message.type === 'room_snapshot') this.#awaitingSnapshot = false;
    else if (this.#awaitingSnapshot) return;
    const step = reduceRoom(this.#room, message);
    if (step.kind === 'gap') {
      this.#awaitingSnapshot = true;
      this.#connection.notify({ type: 'get_snapshot', channel: 'room' });
    } else if (step.kind === 'changed') {
      this.#room = step.channel;
      const { access, name } = step.channel.value;
      // A renamed room is come back to under its new name: the old one would make another room.
      if ('room' in seat.place) seat.place = { room: access === 'guests' ? `public/${name}` : name };
      if (!seat.admitted) this.#admitted(seat);
      this.#tell((listener) => listener.room?.(step.channel.value));
    }
  }

  #admitted(seat: Seat): void {
    seat.admitted = true;
    if (seat.waited) this.#publishAll(seat);
    seat.waited = false;
    if (seat.wanted) this.#connection.notify({ type: 'set_wanted', wanted: [...seat.wanted] });
  }

  #tell(tell: (listener: ClientListener) => void): void {
    for (const listener of [...this.#listeners]) tell(listener);
  }
}

function answered(answer: Answer | undefined): AnswerToOffer {
  if (answer?.type !== 'answer') throw new Refusal('internal');
  return { sdp: answer.sdp, connection: answer.connection };
}
