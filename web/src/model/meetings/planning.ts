/** The dialog that plans a meeting or changes one. The server decides; what it would refuse is said early. */

import type { HomeRoom, House, PlannedMeeting } from '../../protocol/generated.ts';
import type { Http } from '../../session/http.ts';
import { calendarPath, MeetingsHttp } from '../../session/meetings.ts';
import type { Browser } from '../browser.ts';
import { Copyable } from '../copyable.ts';
import { problemFrom } from '../problem.ts';
import { readRoomText, sameRoom, writeRoomText } from '../room_name.ts';
import type { RoomAccess } from '../screens.ts';
import { Store } from '../store.ts';
import { RecipientsModel } from './recipients.ts';
import type { Language, PlanField, PlanningScreen, PlanningState, Recipient, RoomChoice } from './screens.ts';
import { allZones, localTimeOf, momentOf, ownZone } from './zones.ts';

const MINUTE_MS = 60_000;
const DEFAULT_MINUTES = 30;
/** Clocks differ, and typing takes a while: the server says the same. */
const LATE_MS = 4 * MINUTE_MS;

export interface PlanningPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly rooms: readonly HomeRoom[];
  unixMs(): number;
}

/** With what the house allows, and with the meeting that is to be changed. */
export async function openPlanning(ports: PlanningPorts, id: string | undefined): Promise<PlanningModel> {
  const meetings = new MeetingsHttp(ports.http.api);
  const [house, planned] = await Promise.all([ports.http.house(), id === undefined ? undefined : meetings.read(id)]);
  return new PlanningModel(ports, house, planned);
}

export class PlanningModel extends Store<PlanningState> implements PlanningScreen {
  readonly recipients: RecipientsModel;
  readonly #ports: PlanningPorts;
  readonly #house: House;
  /** The meeting as it was, if one is changed. */
  readonly #before: PlannedMeeting | undefined;
  /** Somebody has turned the switch: from then on it stays as it is. */
  #guestsChosen = false;

  constructor(ports: PlanningPorts, house: House, before: PlannedMeeting | undefined) {
    super(before ? asPlanned(ports, before) : asNew(ports));
    this.#ports = ports;
    this.#house = house;
    this.#before = before;
    const { clock } = ports.browser;
    this.recipients = new RecipientsModel({ clock, http: ports.http, people: 'all' }, before?.people.map(recipientOf));
    this.recipients.subscribe(() => this.#draw());
  }

  change(field: PlanField, value: string): void {
    this.patch({ [field]: value });
    this.#draw();
  }

  setMinutes(minutes: number): void {
    this.patch({ minutes });
    this.#draw();
  }

  setAllowGuests(on: boolean): void {
    this.#guestsChosen = true;
    this.patch({ allowGuests: on });
    this.#draw();
  }

  submit(language: Language): void {
    this.recipients.take();
    if (!this.state.canSubmit || this.state.busy) return;
    this.patch({ busy: true, problem: undefined });
    this.#send(language).then(
      (planned) => this.patch({ busy: false, done: this.#done(planned) }),
      (error) => this.patch({ busy: false, problem: problemFrom(error) }),
    );
  }

  #send(language: Language): Promise<PlannedMeeting> {
    const { title, minutes, zone, room } = this.state;
    const { people, mails } = this.recipients;
    const starts_at = momentOf(this.state, zone) ?? 0;
    const plan = { title, starts_at, ends_at: starts_at + minutes * MINUTE_MS, time_zone: zone, people, mails };
    const named = room === '' ? {} : { room };
    const meetings = new MeetingsHttp(this.#ports.http.api);
    if (this.#before) return meetings.change(this.#before.meeting.id, { ...plan, ...named });
    return meetings.plan({ ...plan, ...named, guests: this.state.access === 'guests', language });
  }

  #draw(): void {
    const { guests } = this.#house;
    const { title, zone, room, rooms, busy } = this.state;
    const starts = momentOf(this.state, zone);
    const outside = this.recipients.mails.length > 0;
    const fresh = room === '';
    const allowGuests = fresh && guests ? this.#allowsGuests(outside) : undefined;
    const known = rooms.find(({ value }) => value === room);
    const access: RoomAccess = fresh ? (allowGuests ? 'guests' : 'accounts') : (known?.access ?? 'accounts');
    const timeProblem = this.#timeProblem(starts, this.#ports.unixMs());
    this.patch({
      allowGuests,
      access,
      shutOut: outside && access === 'accounts',
      timeProblem,
      canSubmit: title.trim() !== '' && timeProblem === undefined && this.recipients.complete && !busy,
    });
  }

  /** Whoever has no account gets in, unless somebody says otherwise. */
  #allowsGuests(outside: boolean): boolean {
    return this.#guestsChosen ? (this.state.allowGuests ?? false) : outside;
  }

  /** A meeting that goes on already may keep its time. */
  #timeProblem(starts: number | undefined, now: number): PlanningState['timeProblem'] {
    if (starts === undefined) return 'none';
    const kept = starts === this.#before?.meeting.starts_at;
    return starts + LATE_MS < now && !kept ? 'past' : undefined;
  }

  #done({ meeting, link, access, mailed, not_mailed, people }: PlannedMeeting): NonNullable<PlanningState['done']> {
    return {
      title: meeting.title,
      startsAt: meeting.starts_at,
      endsAt: meeting.ends_at,
      zone: meeting.time_zone,
      link: new Copyable(this.#ports.browser, link),
      access,
      calendar: calendarPath(meeting.id),
      byHouse: this.#house.mail,
      mailed,
      notMailed: not_mailed,
      mails: people.flatMap(({ mail }) => (mail === undefined ? [] : [mail])),
    };
  }
}

type Draft = Pick<PlanningState, 'edits' | 'title' | 'date' | 'time' | 'minutes' | 'zone' | 'room'>;

function asNew(ports: PlanningPorts): PlanningState {
  const zone = ownZone();
  const soon = localTimeOf(nextHalfHour(ports.unixMs()), zone);
  return whole({ edits: false, title: '', ...soon, minutes: DEFAULT_MINUTES, zone, room: '' }, roomsOf(ports.rooms));
}

function asPlanned(ports: PlanningPorts, { meeting, access }: PlannedMeeting): PlanningState {
  const { title, starts_at, ends_at, time_zone: zone, room } = meeting;
  const local = localTimeOf(starts_at, zone);
  const minutes = Math.round((ends_at - starts_at) / MINUTE_MS);
  const rooms = roomsOf(ports.rooms);
  const here = { value: room, name: readRoomText(room).name, access };
  const others = rooms.filter(({ name }) => !sameRoom(name, here.name));
  return whole({ edits: true, title, ...local, minutes, zone, room }, [here, ...others]);
}

function whole(draft: Draft, rooms: readonly RoomChoice[]): PlanningState {
  const zones = allZones(draft.zone);
  return { ...draft, zones, rooms, access: 'accounts', shutOut: false, canSubmit: false, busy: false };
}

/** Rooms that have a name of their own. */
function roomsOf(rooms: readonly HomeRoom[]): RoomChoice[] {
  return rooms
    .filter(({ kind }) => kind !== 'call')
    .map(({ name, access }) => ({ value: writeRoomText(name, access), name, access }));
}

function nextHalfHour(now: number): number {
  return Math.ceil(now / (30 * MINUTE_MS)) * 30 * MINUTE_MS;
}

function recipientOf({ user, name, mail }: PlannedMeeting['people'][number]): Recipient {
  return {
    key: user === undefined ? (mail ?? '').toLowerCase() : `user:${user}`,
    name: name ?? mail ?? '',
    ...(user === undefined ? {} : { user }),
    ...(mail === undefined ? {} : { mail }),
    wrong: false,
  };
}
