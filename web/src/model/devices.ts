/**
 * Camera, microphone and loudspeaker of this person: when the browser is asked, what is open, what is muted, and what
 * to do when a device goes. Missing or forbidden devices never stop anything else.
 */

import {
  type Capture,
  type CaptureChoice,
  CaptureError,
  type CaptureKind,
  type CaptureProblem,
  type Facing,
} from '../media/capture.ts';
import { VideoOutput } from '../media/outputs.ts';
import type { Remembered } from './remembered.ts';
import type { CaptureState, DevicesScreen, DevicesState } from './screens.ts';
import { type Patch, patched, type Readable, Store } from './store.ts';

const KINDS = ['microphone', 'camera'] as const;

export interface DevicesPorts {
  readonly capture: Capture;
  readonly remembered: Remembered;
  newStream(track: MediaStreamTrack): MediaStream;
  /** Measures until the returned function is called. */
  measureLevel(stream: MediaStream, onLevel: (level: number) => void): () => void;
}

export interface DevicesListener {
  /** Another track is to be sent from now on, or none. */
  track?(kind: CaptureKind, track: MediaStreamTrack | null): void;
  muted?(kind: CaptureKind, muted: boolean): void;
  /** The microphone sends music from now on, or voice. */
  music?(on: boolean): void;
}

const CLOSED: CaptureState = { on: true, status: 'off', options: [] };

export class DevicesModel extends Store<DevicesState> implements DevicesScreen {
  readonly preview = new VideoOutput();
  readonly level: LevelMeter;
  readonly #ports: DevicesPorts;
  readonly #listeners = new Set<DevicesListener>();
  readonly #tracks = new Map<CaptureKind, MediaStreamTrack>();
  /** Counts openings, so that a late answer of the browser for a closed place stops its track. */
  readonly #turn: Record<CaptureKind, number> = { microphone: 0, camera: 0 };
  /** Went while it was on: comes back by itself when a device appears. */
  readonly #awaited = new Set<CaptureKind>();
  #facing: Facing = 'user';
  #inUse = false;

  constructor(ports: DevicesPorts) {
    const { speaker } = ports.remembered.devices;
    super({
      explain: false,
      microphone: CLOSED,
      camera: CLOSED,
      speakers: [],
      mirrored: true,
      canFlip: false,
      music: ports.remembered.music,
      ...(speaker ? { speaker } : {}),
    });
    this.#ports = ports;
    this.level = new LevelMeter(ports);
    ports.capture.onDevicesChanged(() => void this.#devicesChanged());
  }

  listen(listener: DevicesListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  track(kind: CaptureKind): MediaStreamTrack | null {
    return this.#tracks.get(kind) ?? null;
  }

  /** Nothing is sent from this device at the moment. */
  muted(kind: CaptureKind): boolean {
    return !(this.state[kind].on && this.state[kind].status === 'live');
  }

  /**
   * At a door: opens what may be opened without asking, and prepares the explanation for the rest. `explained`: the
   * person comes back to a meeting and has read it there.
   */
  async begin(wishes: { microphone: boolean; camera: boolean; explained: boolean }): Promise<void> {
    this.#inUse = true;
    for (const kind of KINDS) this.#change(kind, { on: wishes[kind] });
    const { capture } = this.#ports;
    if (capture.obstacle) {
      for (const kind of KINDS) this.#fail(kind, capture.obstacle);
      return;
    }
    const permissions = await Promise.all(KINDS.map((kind) => capture.permission(kind)));
    if (!this.#inUse) return;
    const open: CaptureKind[] = [];
    KINDS.forEach((kind, i) => {
      if (permissions[i] === 'denied') this.#fail(kind, 'denied');
      else if (permissions[i] === 'prompt' && !wishes.explained) this.#change(kind, { status: 'ask' });
      else if (this.state[kind].on) open.push(kind);
    });
    this.patch({ explain: this.#asking().length > 0 });
    await Promise.all([this.#open(open), this.#list()]);
  }

  /** Out of door and meeting: every light goes off. */
  end(): void {
    this.#inUse = false;
    this.#awaited.clear();
    for (const kind of KINDS) {
      this.#close(kind);
      this.set(patched(this.state, { [kind]: { ...CLOSED, options: this.state[kind].options } }));
    }
    this.patch({ explain: false });
  }

  ask(): void {
    if (this.#ports.capture.obstacle) return;
    const asking = this.#asking();
    if (asking.length === 0) {
      this.#tryAgain();
      return;
    }
    this.patch({ explain: false });
    // Who is asked and wants neither still wants to be asked for something.
    if (asking.every((kind) => !this.state[kind].on)) for (const kind of asking) this.#change(kind, { on: true });
    const wanted = asking.filter((kind) => this.state[kind].on);
    for (const kind of asking) if (!wanted.includes(kind)) this.#change(kind, { status: 'off' });
    void this.#open(wanted);
  }

  skip(): void {
    for (const kind of this.#asking()) this.#change(kind, { status: 'off', on: false });
    this.patch({ explain: false });
  }

  toggleMicrophone(): void {
    this.#toggle('microphone');
  }

  toggleCamera(): void {
    this.#toggle('camera');
    this.#ports.remembered.cameraOn = this.state.camera.on;
  }

  selectMicrophone(id: string): void {
    this.#select('microphone', id);
  }

  selectCamera(id: string): void {
    this.#select('camera', id);
  }

  selectSpeaker(id: string): void {
    this.#remember({ speaker: id });
    this.patch({ speaker: id || undefined });
  }

  setMusic(on: boolean): void {
    this.#ports.remembered.music = on;
    this.patch({ music: on });
    for (const listener of this.#listeners) listener.music?.(on);
    this.#reopen('microphone');
  }

  flipCamera(): void {
    this.#facing = this.#facing === 'user' ? 'environment' : 'user';
    this.#remember({ camera: '' });
    this.#change('camera', { selected: undefined });
    this.#reopen('camera');
  }

  /** The person has changed something outside: a permission, a plug, another program. */
  #tryAgain(): void {
    const failed = KINDS.filter((kind) => this.state[kind].status === 'problem');
    for (const kind of failed) this.#change(kind, { on: true });
    void this.#open(failed);
  }

  #asking(): CaptureKind[] {
    return KINDS.filter((kind) => this.state[kind].status === 'ask');
  }

  #toggle(kind: CaptureKind): void {
    const { on, status } = this.state[kind];
    if (status === 'ask' && this.state.explain) {
      this.#change(kind, { on: !on });
      return;
    }
    if (on && status !== 'problem') this.#switchOff(kind);
    else this.#switchOn(kind);
  }

  #switchOff(kind: CaptureKind): void {
    this.#awaited.delete(kind);
    this.#change(kind, { on: false });
    if (kind === 'camera') this.#close(kind, 'off');
    else this.#enable();
    this.#tellMuted(kind);
  }

  #switchOn(kind: CaptureKind): void {
    this.#change(kind, { on: true });
    if (this.#tracks.has(kind)) {
      this.#enable();
      this.#tellMuted(kind);
    } else if (this.state[kind].status !== 'opening') {
      void this.#open([kind]);
    }
  }

  #select(kind: CaptureKind, id: string): void {
    this.#remember({ [kind]: id });
    this.#change(kind, { selected: id || undefined });
    this.#reopen(kind);
  }

  /** Another device takes over; what is off stays off until it is wanted. */
  #reopen(kind: CaptureKind): void {
    if (!this.state[kind].on && !this.#tracks.has(kind)) return;
    // Many systems give a camera only once, and phones only one of their cameras.
    if (kind === 'camera') this.#close(kind);
    void this.#open([kind]);
  }

  async #open(kinds: readonly CaptureKind[]): Promise<void> {
    if (kinds.length === 0) return;
    const turns = new Map(kinds.map((kind) => [kind, ++this.#turn[kind]]));
    for (const kind of kinds) this.#change(kind, { status: 'opening', problem: undefined });
    const current = (kind: CaptureKind): boolean => this.#inUse && this.#turn[kind] === turns.get(kind);
    try {
      const tracks = await this.#ports.capture.open(new Map(kinds.map((kind) => [kind, this.#choice(kind)])));
      for (const kind of kinds) {
        const track = tracks.get(kind);
        if (!track) continue;
        if (current(kind)) this.#opened(kind, track);
        else track.stop();
      }
    } catch (error) {
      await this.#notOpened(kinds.filter(current), error instanceof CaptureError ? error.problem : 'failed');
    }
    await this.#list();
  }

  /** One missing or forbidden device must not cost the other; a remembered one may be gone. */
  async #notOpened(kinds: readonly CaptureKind[], problem: CaptureProblem): Promise<void> {
    if (kinds.length > 1) {
      for (const kind of kinds) {
        const again = problem !== 'denied' || (await this.#ports.capture.permission(kind)) === 'granted';
        if (again) await this.#open([kind]);
        else this.#fail(kind, 'denied');
      }
      return;
    }
    const [kind] = kinds;
    if (!kind) return;
    if (problem === 'missing' && this.#choice(kind).device) {
      this.#change(kind, { selected: undefined });
      this.#remember({ [kind]: '' });
      await this.#open([kind]);
      return;
    }
    if (problem === 'missing') this.#awaited.add(kind);
    this.#fail(kind, problem);
  }

  #opened(kind: CaptureKind, track: MediaStreamTrack): void {
    this.#release(kind);
    if (!this.state[kind].on && kind === 'camera') {
      track.stop();
      this.#change(kind, { status: 'off' });
      return;
    }
    this.#awaited.delete(kind);
    this.#tracks.set(kind, track);
    track.onended = () => void this.#ended(kind, track);
    this.#enable();
    const settings = track.getSettings();
    this.#change(kind, {
      status: 'live',
      problem: undefined,
      selected: settings.deviceId ?? this.state[kind].selected,
    });
    if (kind === 'camera') {
      this.patch({ mirrored: settings.facingMode !== 'environment', canFlip: settings.facingMode !== undefined });
    }
    this.#show(kind, track);
    for (const listener of this.#listeners) listener.track?.(kind, track);
    this.#tellMuted(kind);
  }

  /** The browser took the device away. */
  async #ended(kind: CaptureKind, track: MediaStreamTrack): Promise<void> {
    if (this.#tracks.get(kind) !== track) return;
    const { on } = this.state[kind];
    this.#close(kind);
    this.#fail(kind, 'lost');
    if ((await this.#ports.capture.permission(kind)) === 'denied') {
      this.#fail(kind, 'denied');
      return;
    }
    if (!on || !this.#inUse) return;
    this.#awaited.add(kind);
    await this.#devicesChanged();
  }

  async #devicesChanged(): Promise<void> {
    await this.#list();
    for (const kind of this.#awaited) {
      if (this.state[kind].status !== 'problem' || this.state[kind].options.length === 0) continue;
      this.#awaited.delete(kind);
      this.#change(kind, { on: true, selected: undefined });
      await this.#open([kind]);
    }
  }

  async #list(): Promise<void> {
    if (this.#ports.capture.obstacle) return;
    const { microphones, cameras, speakers } = await this.#ports.capture.list();
    this.#change('microphone', { options: microphones });
    this.#change('camera', { options: cameras });
    this.patch({ speakers, canFlip: this.state.canFlip && cameras.length > 1 });
  }

  #choice(kind: CaptureKind): CaptureChoice {
    const device = this.state[kind].selected ?? this.#ports.remembered.devices[kind];
    const choice: CaptureChoice = device ? { device } : kind === 'camera' ? { facing: this.#facing } : {};
    return kind === 'microphone' && this.state.music ? { ...choice, music: true } : choice;
  }

  #fail(kind: CaptureKind, problem: CaptureProblem): void {
    this.#turn[kind]++;
    this.#change(kind, { on: false, status: 'problem', problem });
    this.#tellMuted(kind);
  }

  #close(kind: CaptureKind, status?: 'off'): void {
    this.#turn[kind]++;
    if (this.#release(kind)) {
      this.#show(kind, null);
      for (const listener of this.#listeners) listener.track?.(kind, null);
    }
    if (status) this.#change(kind, { status });
  }

  #release(kind: CaptureKind): boolean {
    const track = this.#tracks.get(kind);
    if (!track) return false;
    this.#tracks.delete(kind);
    track.onended = null;
    track.stop();
    return true;
  }

  #show(kind: CaptureKind, track: MediaStreamTrack | null): void {
    const stream = track ? this.#ports.newStream(track) : null;
    if (kind === 'camera') this.preview.show(stream);
    else this.level.measure(stream);
  }

  #enable(): void {
    const track = this.#tracks.get('microphone');
    if (track) track.enabled = this.state.microphone.on;
  }

  #tellMuted(kind: CaptureKind): void {
    for (const listener of this.#listeners) listener.muted?.(kind, this.muted(kind));
  }

  #remember(choice: { microphone?: string; camera?: string; speaker?: string }): void {
    const devices = { ...this.#ports.remembered.devices, ...choice };
    this.#ports.remembered.devices = Object.fromEntries(Object.entries(devices).filter(([, id]) => id !== ''));
  }

  #change(kind: CaptureKind, fields: Patch<CaptureState>): void {
    this.patch({ [kind]: patched(this.state[kind], fields) });
  }
}

/** The microphone's level; measured only while somebody looks. */
class LevelMeter implements Readable<number> {
  readonly #ports: Pick<DevicesPorts, 'measureLevel'>;
  readonly #listeners = new Set<(level: number) => void>();
  #stream: MediaStream | null = null;
  #stop: (() => void) | undefined;
  #level = 0;

  constructor(ports: Pick<DevicesPorts, 'measureLevel'>) {
    this.#ports = ports;
  }

  get state(): number {
    return this.#level;
  }

  subscribe(listener: (level: number) => void): () => void {
    const entry = (level: number): void => listener(level);
    this.#listeners.add(entry);
    entry(this.#level);
    this.#update();
    return () => {
      this.#listeners.delete(entry);
      this.#update();
    };
  }

  measure(stream: MediaStream | null): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#stream = stream;
    this.#update();
  }

  #update(): void {
    const wanted = this.#stream !== null && this.#listeners.size > 0;
    if (!wanted) {
      this.#stop?.();
      this.#stop = undefined;
    } else if (!this.#stop && this.#stream) {
      this.#stop = this.#ports.measureLevel(this.#stream, (level) => {
        this.#level = level;
        for (const listener of this.#listeners) listener(level);
      });
    }
  }
}
