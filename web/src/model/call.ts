/**
 * One stay in a room, from the door to leaving: brings session, media and devices together and says what happens in
 * words of the meeting. Prepared while one stands at the door, so that joining waits for nothing that could be done
 * before.
 */

import type { Budget } from '../media/budget.ts';
import { type Capture, CaptureError, type CaptureProblem, shapeScreen } from '../media/capture.ts';
import type { ScreenMode } from '../media/encodings.ts';
import { keyFor, type Media, type MediaEvents } from '../media/media.ts';
import { QualityReporter, type ReportPorts } from '../media/report.ts';
import type {
  DeviceId,
  QualityReport,
  RoomId,
  RoomLeftReason,
  RoomView,
  Source,
  WaitingReason,
  Wanted,
} from '../protocol/generated.ts';
import type { Client } from '../session/client.ts';
import type { Refusal } from '../session/refusal.ts';
import { findings, moment } from './connection/findings.ts';
import type { NowState } from './connection/screens.ts';
import type { DevicesModel } from './devices.ts';
import type { AudioSurface, VideoSurface } from './screens.ts';
import { Store } from './store.ts';

export interface CallPorts {
  /** What the browser tells of itself, for reports on the connection. */
  readonly report: ReportPorts;
  readonly devices: DevicesModel;
  readonly capture: Capture;
  newMedia(events: MediaEvents): Media;
}

/** Whoever shows the call at the moment. */
export interface CallListener {
  view?(view: RoomView): void;
  waiting?(reason: WaitingReason): void;
  refused?(refusal: Refusal): void;
  left?(reason: RoomLeftReason): void;
  /** The session is over, and with it the seat. */
  ended?(refusal: Refusal): void;
  /** Whether server and media are reached, and what is known of why not. */
  reached?(reached: boolean, why?: 'restart' | 'obstructed'): void;
  pictures?(): void;
  soundBlocked?(blocked: boolean): void;
  screen?(on: boolean, problem?: CaptureProblem): void;
  bears?(budget: Budget, less: boolean): void;
}

export class Call {
  listener: CallListener = {};
  /** How one's own connection is at the moment. */
  readonly quality = new Store<NowState>({});
  readonly #ports: CallPorts;
  readonly #media: Media;
  readonly #visible = new Set<string>();
  #client: Client | undefined;
  /** Through which the media connection was asked for at the door. */
  #door: { client: Client; unlisten(): void } | undefined;
  #unlisten: (() => void)[] = [];
  #connected = false;
  #server = true;
  #flowing = true;
  #everFlowed = false;
  #restarts = false;
  #obstructed = false;
  #soundBlocked = false;
  #screen: { video: MediaStreamTrack; audio?: MediaStreamTrack } | undefined;
  /** The browser asks which screen. */
  #choosesScreen = false;
  #screenMode: ScreenMode = 'text';
  #closed = false;
  readonly #reporter: QualityReporter;

  constructor(ports: CallPorts) {
    this.#ports = ports;
    this.#media = ports.newMedia({
      flowing: (flowing) => this.#mediaFlows(flowing),
      obstructed: (obstructed) => {
        this.#obstructed = obstructed;
        this.#tellReached();
      },
      visible: (key, visible) => this.#pictureVisible(key, visible),
      soundBlocked: (blocked) => {
        this.#soundBlocked = blocked;
        this.listener.soundBlocked?.(blocked);
      },
      bears: (budget, less) => this.listener.bears?.(budget, less),
    });
    this.#reporter = new QualityReporter(
      this.#media.stats,
      ports.report,
      (report) => this.#client?.reportQuality(report),
      (report, overTcp) => this.#judge(report, overTcp),
    );
    const { devices } = ports;
    for (const kind of ['microphone', 'camera'] as const) this.#media.setTrack(kind, devices.track(kind));
    this.#media.setMusic(devices.state.music);
    this.#unlisten.push(
      devices.listen({
        track: (kind, track) => this.#media.setTrack(kind, track),
        muted: (kind, muted) => this.#client?.publish(kind, muted),
        music: (on) => this.#media.setMusic(on),
      }),
      devices.subscribe(({ speaker, microphone, camera }) => {
        this.#media.speakers.choose(speaker ?? '');
        for (const { problem } of [microphone, camera]) if (problem) this.#reporter.noteProblem(problem);
      }),
    );
    // What cannot be prepared is made when joining, and fails there if it must.
    this.#media.prepare().catch(() => {});
  }

  get soundBlocked(): boolean {
    return this.#soundBlocked;
  }

  /** The media connection is up, or on its way, before there is a seat. */
  get prepared(): boolean {
    return this.#media.prepared;
  }

  /** At the door of a room that one may enter: the media connection comes up, and nothing flows. */
  async prepare(client: Client, room: string, device: DeviceId): Promise<void> {
    if (this.#client || this.#closed) return;
    this.#leaveDoor();
    const lost = (): void => this.#media.unprepare();
    const unlisten = client.listen({ live: (live) => live || lost(), unprepared: lost });
    this.#door = { client, unlisten };
    await this.#media.arrive((offer) => client.prepare(room, device, offer));
  }

  join(client: Client, room: string, device: DeviceId): void {
    this.#listenTo(client);
    client.join(room, device, this.#sources());
    if (client.live) this.#connectMedia(client);
  }

  /** As `join`, into the room of a call. */
  joinCall(client: Client, room: RoomId, device: DeviceId): void {
    this.#listenTo(client);
    client.joinCall(room, device, this.#sources());
    if (client.live) this.#connectMedia(client);
  }

  #sources(): ReadonlyMap<Source, boolean> {
    const { devices } = this.#ports;
    return new Map([
      ['microphone', devices.muted('microphone')],
      ['camera', devices.muted('camera')],
    ]);
  }

  #leaveDoor(): void {
    this.#door?.unlisten();
    this.#door = undefined;
    this.#media.unprepare();
  }

  #listenTo(client: Client): void {
    if (this.#door?.client !== client) this.#leaveDoor();
    this.#door?.unlisten();
    this.#client = client;
    this.#unlisten.push(
      client.listen({
        live: (live, restarts) => this.#serverReached(live, restarts),
        room: (view) => {
          this.#media.follow(view);
          this.listener.view?.(view);
        },
        waiting: (reason) => this.listener.waiting?.(reason),
        refused: (refusal) => this.listener.refused?.(refusal),
        left: (reason) => this.listener.left?.(reason),
        ended: (refusal) => this.listener.ended?.(refusal),
      }),
    );
  }

  /** Somebody who knocks may come in, or not. */
  async admit(knocking: string, admit: boolean): Promise<void> {
    await this.#client?.admit(knocking, admit);
  }

  setWanted(wanted: readonly Wanted[]): void {
    const kind = (source: Source) => (source === 'screen' ? 'screen' : 'person');
    this.#media.looksAt(new Set(wanted.map(({ participant, source }) => keyFor(participant, kind(source)))));
    this.#client?.setWanted(wanted);
  }

  surfaces(participant: string, kind: 'person' | 'screen'): { video: VideoSurface; audio: AudioSurface } {
    return this.#media.output(keyFor(participant, kind));
  }

  forget(participant: string, kind: 'person' | 'screen'): void {
    const key = keyFor(participant, kind);
    this.#visible.delete(key);
    this.#media.forget(key);
  }

  /** `paused`: the line has no room for it at the moment. */
  picture(participant: string, kind: 'person' | 'screen'): 'visible' | 'paused' | 'expected' | 'none' {
    const key = keyFor(participant, kind);
    if (this.#media.paused(key)) return 'paused';
    if (this.#visible.has(key)) return 'visible';
    return this.#media.carries(key) ? 'expected' : 'none';
  }

  /** The camera was off: the next frame is the first that may be shown. */
  expectFresh(participant: string, kind: 'person' | 'screen'): void {
    this.#media.expectFresh(keyFor(participant, kind));
  }

  playSound(): void {
    this.#media.speakers.unblock();
  }

  /** Server and media at once, without waiting for any timer. */
  reconnect(): void {
    this.#client?.check();
    this.#media.restart();
  }

  /** The network may have changed. */
  networkChanged(): void {
    this.#client?.check();
    this.#media.suspect();
  }

  get sharesScreen(): boolean {
    return this.#screen !== undefined;
  }

  get screenMode(): ScreenMode {
    return this.#screenMode;
  }

  setScreenMode(mode: ScreenMode): void {
    this.#screenMode = mode;
    this.#media.wish({ screenMode: mode });
    if (this.#screen) void shapeScreen(this.#screen.video, mode);
  }

  async startScreen(): Promise<void> {
    if (this.#screen || this.#choosesScreen) return;
    this.#choosesScreen = true;
    try {
      const screen = await this.#ports.capture.openScreen(this.#screenMode);
      if (this.#closed) {
        stopScreen(screen);
        return;
      }
      this.#screen = screen;
      screen.video.onended = () => this.stopScreen();
      this.#media.setTrack('screen', screen.video);
      this.#media.setTrack('screen_audio', screen.audio ?? null);
      this.#client?.publish('screen', false);
      if (screen.audio) this.#client?.publish('screen_audio', false);
      this.listener.screen?.(true);
    } catch (error) {
      const problem = error instanceof CaptureError ? error.problem : 'failed';
      // Closing the browser's own dialog is a decision and no problem.
      if (problem === 'denied') this.listener.screen?.(false);
      else this.listener.screen?.(false, problem);
    } finally {
      this.#choosesScreen = false;
    }
  }

  stopScreen(): void {
    const screen = this.#screen;
    if (!screen) return;
    this.#screen = undefined;
    stopScreen(screen);
    this.#media.setTrack('screen', null);
    this.#media.setTrack('screen_audio', null);
    this.#client?.unpublish('screen');
    this.#client?.unpublish('screen_audio');
    this.listener.screen?.(false);
  }

  /** Gives the seat back and everything else up. The devices are the caller's to keep or close. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.listener = {};
    this.stopScreen();
    for (const unlisten of this.#unlisten) unlisten();
    this.#reporter.end();
    if (this.#client) this.#client.leave();
    else if (this.#media.prepared) this.#door?.client.unprepare();
    this.#door?.unlisten();
    this.#media.close();
  }

  #judge(report: QualityReport, overTcp: boolean): void {
    const summary = moment(report, this.#media.pauses);
    this.quality.set({ summary, findings: findings(summary), overTcp });
  }

  #connectMedia(client: Client): void {
    this.#connected = true;
    this.#media.connect({
      offer: (offer) => client.offer(offer),
      slotReady: (slot, generation) => client.slotReady(slot, generation),
      noPicture: (slot, generation) => client.noPicture(slot, generation),
    });
  }

  #serverReached(live: boolean, restarts: boolean): void {
    this.#server = live;
    this.#restarts = restarts;
    this.#media.setSignalling(live);
    if (live && !this.#connected && this.#client) this.#connectMedia(this.#client);
    this.#tellReached();
  }

  #mediaFlows(flowing: boolean): void {
    this.#flowing = flowing;
    // At the door nobody misses what ends.
    if (flowing || !this.#client) this.#everFlowed = flowing;
    this.#tellReached();
  }

  #tellReached(): void {
    // Media counts from the first time that it flowed, or could not.
    const media = this.#flowing || !this.#everFlowed;
    if (!this.#server) this.listener.reached?.(false, this.#restarts ? 'restart' : undefined);
    else if (this.#obstructed) this.listener.reached?.(false, 'obstructed');
    else this.listener.reached?.(media);
  }

  #pictureVisible(key: string, visible: boolean): void {
    if (visible) this.#visible.add(key);
    else this.#visible.delete(key);
    this.listener.pictures?.();
  }
}

function stopScreen({ video, audio }: { video: MediaStreamTrack; audio?: MediaStreamTrack }): void {
  video.onended = null;
  video.stop();
  audio?.stop();
}
