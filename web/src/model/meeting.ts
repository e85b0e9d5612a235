/**
 * The meeting as one sees it: tiles, people, connection. Draws only what the server decided; own switches are in the
 * devices.
 */

import type { CaptureProblem } from '../media/capture.ts';
import type { Participant, RoomLeftReason, RoomView, Source } from '../protocol/generated.ts';
import type { Http } from '../session/http.ts';
import { callPath, joinPath } from './address.ts';
import type { Browser } from './browser.ts';
import type { Call } from './call.ts';
import type { MeetingCalls } from './calls/in_meeting.ts';
import type { NowState } from './connection/screens.ts';
import type { DevicesModel } from './devices.ts';
import { Notices, noticeOf } from './notice.ts';
import { problemFrom } from './problem.ts';
import type { Remembered } from './remembered.ts';
import { roomPath } from './room_name.ts';
import type { MeetingScreen, MeetingState, Person, ScreenMode, Tile, TileSize } from './screens.ts';
import { type SharedRoom, ShareModel } from './share.ts';
import { type Readable, Store } from './store.ts';
import { splitKey, WantedTiles } from './wanted.ts';

const STUCK_MS = 20_000;
const BACK_MS = 2_000;
export interface MeetingPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly remembered: Remembered;
  readonly devices: DevicesModel;
  readonly guests: boolean;
  readonly viewer: 'account' | 'guest';
  /** Of a guest who came by one: it stays in the address, since a reload needs it. */
  readonly invite?: string | undefined;
  readonly canShareScreen: boolean;
  /** Accounts only: ringing more people in. */
  readonly calls?: MeetingCalls | undefined;
  left(reason: RoomLeftReason | 'left', roomName: string): void;
}

export class MeetingModel extends Store<MeetingState> implements MeetingScreen {
  readonly #ports: MeetingPorts;
  readonly #call: Call;
  readonly #wanted: WantedTiles;
  readonly #notices: Notices;
  #view: RoomView;
  #share: ShareModel | undefined;
  #shareProblem: CaptureProblem | undefined;
  #cancelConnection = (): void => {};
  readonly #unlisten: () => void;
  #closed = false;

  constructor(ports: MeetingPorts, call: Call, view: RoomView) {
    super(firstState(ports, view));
    this.#ports = ports;
    this.#call = call;
    this.#view = view;
    this.#notices = new Notices(ports.browser.clock, (notice) => this.patch({ notice }));
    this.#wanted = new WantedTiles(ports.browser, (wanted) => call.setWanted(wanted));
    call.listener = {
      view: (next) => this.#follow(next),
      pictures: () => this.#draw(),
      reached: (reached, why) => this.#reached(reached, why),
      soundBlocked: (soundBlocked) => this.patch({ soundBlocked }),
      bears: (budget, less) => {
        this.#wanted.bear(budget);
        if (less) this.#notices.say(noticeOf(budget));
      },
      screen: (_on, problem) => {
        this.#shareProblem = problem;
        this.#draw();
      },
      left: (reason) => this.#gone(reason),
      refused: (refusal) => this.#gone(refusal.code === 'guests_not_allowed' ? refusal.code : 'internal'),
      ended: () => this.#gone('session_ended'),
    };
    const unlisten = [
      ports.devices.subscribe(() => this.#remember()),
      call.quality.subscribe(({ findings }) => this.#notices.judge(findings ?? [])),
    ];
    this.#unlisten = () => {
      for (const one of unlisten) one();
    };
    this.patch({ soundBlocked: call.soundBlocked });
    this.#follow(view);
  }

  /** The address that it stands at, with the fragment if that belongs to it. */
  get path(): string {
    const { invite } = this.#ports;
    if (this.#view.kind === 'call') return callPath(this.#view.id);
    return invite === undefined ? roomPath(this.#view.name, this.#view.access) : joinPath(invite);
  }

  visibilityChanged(): void {
    this.#wanted.visibilityChanged();
  }

  networkChanged(): void {
    this.#call.networkChanged();
  }

  get connection(): Readable<NowState> {
    return this.#call.quality;
  }

  get calls(): MeetingCalls | undefined {
    return this.#ports.calls;
  }

  admit(knocking: string, admit: boolean): void {
    this.patch({ knockProblem: undefined });
    this.#call.admit(knocking, admit).catch((error) => {
      const problem = problemFrom(error);
      // Somebody else was faster, or they went: the list says so.
      if (problem.code !== 'not_found') this.patch({ knockProblem: problem });
    });
  }

  toggleScreen(): void {
    this.#shareProblem = undefined;
    if (this.#call.sharesScreen) this.#call.stopScreen();
    else void this.#call.startScreen();
  }

  setScreenMode(mode: ScreenMode): void {
    this.#call.setScreenMode(mode);
    this.#draw();
  }

  leave(): void {
    this.#gone('left');
  }

  reconnect(): void {
    this.#call.reconnect();
  }

  playSound(): void {
    this.#call.playSound();
  }

  openShare(): void {
    if (this.#share) return;
    const { browser, guests, http, viewer } = this.#ports;
    // The change itself comes back with the view, as for everybody else.
    const account = viewer === 'account';
    this.#share = new ShareModel({ browser, http, guests, account, changed: () => {} }, this.#shared(this.#view));
    this.patch({ share: this.#share });
  }

  closeShare(): void {
    this.#share?.close();
    this.#share = undefined;
    this.patch({ share: undefined });
  }

  reportTiles(sizes: readonly TileSize[]): void {
    this.#wanted.show(sizes);
  }

  /** Without a word to the app: one goes elsewhere. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelConnection();
    this.#wanted.close();
    this.#notices.close();
    this.#unlisten();
    this.closeShare();
    this.#ports.calls?.close();
    this.#call.close();
    this.#ports.devices.end();
    this.#ports.remembered.setMeeting(undefined);
  }

  #gone(reason: RoomLeftReason | 'left'): void {
    if (this.#closed) return;
    this.close();
    this.#ports.left(reason, titleOf(this.#view));
  }

  #follow(view: RoomView): void {
    const before = this.#view;
    this.#view = view;
    for (const participant of view.participants) {
      const old = before.participants.find((one) => one.id === participant.id);
      if (old && !shows(old, 'camera') && shows(participant, 'camera'))
        this.#call.expectFresh(participant.id, 'person');
      if (old && !shows(old, 'screen') && shows(participant, 'screen'))
        this.#call.expectFresh(participant.id, 'screen');
    }
    this.#ports.calls?.follow(view);
    this.#wanted.speaking(view.speaking);
    if (view.name !== before.name) this.#renamed(before.name, view.name);
    const { pathname } = this.#ports.browser.address();
    if (pathname !== this.path.split('#')[0]) this.#ports.browser.replace(this.path);
    const shared = this.#shared(view);
    if (JSON.stringify(shared) !== JSON.stringify(this.#shared(before))) this.#share?.follow(shared);
    this.#draw();
    this.#remember();
  }

  #shared({ name, access, knock, owner }: RoomView): SharedRoom {
    return { name, access, knock, owner, known: this.#ports.viewer === 'account' };
  }

  /** A guest's grant stays good: it is for the room, whatever it is called. */
  #renamed(from: string, to: string): void {
    const grant = this.#ports.remembered.grant(from);
    if (grant) this.#ports.remembered.setGrant({ ...grant, room: to });
  }

  #draw(): void {
    const view = this.#view;
    const tiles = drawTiles(this.#call, view);
    for (const old of this.state.tiles) {
      if (tiles.some((tile) => tile.key === old.key)) continue;
      const [kind, participant] = splitKey(old.key);
      this.#call.forget(participant, kind);
    }
    if (tiles.some((tile) => tile.paused)) this.#notices.say('thin_line');
    const you = view.participants.find((one) => one.id === view.you);
    const problem = this.#shareProblem;
    this.patch({
      roomName: titleOf(view),
      access: view.access,
      tiles,
      alone: view.participants.length <= 1,
      people: drawPeople(view),
      knocking: view.knocking,
      ...(view.knocking.length === 0 ? { knockProblem: undefined } : {}),
      self: { name: you?.name ?? '', speaking: view.speaking.includes(view.you) },
      screen: this.#ports.canShareScreen
        ? { on: this.#call.sharesScreen, mode: this.#call.screenMode, ...(problem ? { problem } : {}) }
        : undefined,
    });
  }

  #reached(reached: boolean, why?: 'restart' | 'obstructed'): void {
    const { clock } = this.#ports.browser;
    const { connection } = this.state;
    const down = connection !== 'connected' && connection !== 'back';
    if (reached) {
      if (!down) return;
      this.#cancelConnection();
      this.patch({ connection: 'back' });
      this.#cancelConnection = clock.after(BACK_MS, () => this.patch({ connection: 'connected' }));
      return;
    }
    const next = why === 'restart' ? 'restarting' : why === 'obstructed' ? 'obstructed' : 'reconnecting';
    if (connection === next || (down && next === 'reconnecting' && connection !== 'obstructed')) return;
    this.#cancelConnection();
    this.patch({ connection: next });
    if (next !== 'obstructed')
      this.#cancelConnection = clock.after(STUCK_MS, () => this.patch({ connection: 'stuck' }));
  }

  #remember(): void {
    if (this.#closed) return;
    const { devices, remembered } = this.#ports;
    remembered.setMeeting({
      room: this.#view.kind === 'call' ? callPath(this.#view.id) : this.#view.name,
      microphone: devices.state.microphone.on,
      camera: devices.state.camera.on,
    });
  }
}

function firstState(ports: MeetingPorts, view: RoomView): MeetingState {
  return {
    roomName: titleOf(view),
    access: view.access,
    ...(view.kind === 'call' ? { call: true } : {}),
    viewer: ports.viewer,
    connection: 'connected',
    soundBlocked: false,
    tiles: [],
    alone: true,
    people: [],
    knocking: [],
    self: { name: '', speaking: false },
  };
}

/** A call's room has no name: whom one talks with is what it is called. */
function titleOf(view: RoomView): string {
  if (view.kind !== 'call') return view.name;
  const others = view.participants.filter((one) => one.id !== view.you);
  return others.map((one) => one.name).join(', ');
}

function drawTiles(call: Call, view: RoomView): Tile[] {
  const others = view.participants.filter((one) => one.id !== view.you);
  const sharing = others.filter((one) => shows(one, 'screen'));
  return [
    ...sharing.map((one) => drawTile(call, view, one, 'screen')),
    ...others.map((one) => drawTile(call, view, one, 'person')),
  ];
}

function drawTile(call: Call, view: RoomView, participant: Participant, kind: 'person' | 'screen'): Tile {
  const { id, name, guest, presence } = participant;
  const sends = shows(participant, kind === 'screen' ? 'screen' : 'camera');
  const surfaces = call.surfaces(id, kind);
  const picture = sends ? call.picture(id, kind) : 'none';
  return {
    key: `${kind} ${id}`,
    kind,
    name,
    guest,
    speaking: kind === 'person' && view.speaking.includes(id),
    muted: kind === 'person' && !shows(participant, 'microphone'),
    away: presence === 'reconnecting',
    showVideo: picture === 'visible',
    videoExpected: picture === 'expected',
    paused: picture === 'paused',
    video: surfaces.video,
    audio: surfaces.audio,
  };
}

function drawPeople(view: RoomView): Person[] {
  const people = view.participants.map(
    (one): Person => ({
      id: one.id,
      name: one.name,
      guest: one.guest,
      you: one.id === view.you,
      muted: !shows(one, 'microphone'),
      cameraOff: !shows(one, 'camera'),
      sharing: shows(one, 'screen'),
      speaking: view.speaking.includes(one.id),
      away: one.presence === 'reconnecting',
    }),
  );
  return [...people.filter((one) => one.you), ...people.filter((one) => !one.you)];
}

function shows(participant: Participant, source: Source): boolean {
  return participant.tracks.some((track) => track.source === source && !track.muted);
}
