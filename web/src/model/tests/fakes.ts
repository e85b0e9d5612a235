/** A browser, devices and a server that do as the test says. For tests only. */

import {
  type Capture,
  type CaptureChoice,
  CaptureError,
  type CaptureKind,
  type DeviceList,
} from '../../media/capture.ts';
import type { LinkOffer } from '../../media/link.ts';
import type { MediaEvents, Signalling } from '../../media/media.ts';
import type { ReportPorts } from '../../media/report.ts';
import type { SampleListener } from '../../media/stats.ts';
import type { Home, HomeRoom, RoomView } from '../../protocol/generated.ts';
import { Client } from '../../session/client.ts';
import { Http } from '../../session/http.ts';
import { FakeSocket } from '../../session/tests/fakes.ts';
import { FakeClock } from '../../tests/clock.ts';
import type { Address, Browser, Passkeys, Storage } from '../browser.ts';
import type { Notice, NoticeAction, NoticePermission, Notices, Tones } from '../calls/ports.ts';

/** A home of which only what matters is said. */
export function homeOf(fields: Partial<Home> = {}): Home {
  return { rooms: [], calls: [], missed: 0, status: 'available', meetings: [], ...fields };
}

export function homeRoom(fields: Partial<HomeRoom> & { id: string; name: string }): HomeRoom {
  const plain = {
    access: 'accounts',
    kind: 'named',
    knock: false,
    owner: false,
    member: false,
    pinned: false,
  } as const;
  return { ...plain, people: 0, ...fields };
}

export class FakeStorage implements Storage {
  readonly values = new Map<string, string>();

  get(key: string): string | undefined {
    return this.values.get(key);
  }

  set(key: string, value: string): void {
    this.values.set(key, value);
  }

  remove(key: string): void {
    this.values.delete(key);
  }
}

/** Repeatable bytes that look random. */
export function seededBytes(seed: number): (length: number) => Uint8Array {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  return (length) => Uint8Array.from({ length }, next);
}

/** A device that holds one passkey; `present` answers what was asked for quietly. */
export class FakePasskeys implements Passkeys {
  supported = false;
  /** Whether the person agrees when the browser asks. */
  agrees = true;
  quiet = false;
  readonly asked: Record<string, unknown>[] = [];
  #present: (() => void) | undefined;

  async autofills(): Promise<boolean> {
    return this.quiet;
  }

  async create(options: Record<string, unknown>): Promise<Record<string, unknown>> {
    this.asked.push(options);
    if (!this.agrees) throw new Error('not allowed');
    return { id: 'new' };
  }

  async get(
    options: Record<string, unknown>,
    how: { quiet: boolean; signal: AbortSignal },
  ): Promise<Record<string, unknown>> {
    this.asked.push(options);
    if (how.quiet) {
      await new Promise<void>((resolve, reject) => {
        this.#present = resolve;
        how.signal.addEventListener('abort', reject);
      });
    }
    if (!this.agrees) throw new Error('not allowed');
    return { id: 'known' };
  }

  /** The person chooses it in the form's field. */
  present(): void {
    this.#present?.();
  }
}

/** No two pages are random in the same way. */
let browsers = 0;

export class FakeBrowser implements Browser {
  readonly clock = new FakeClock();
  readonly passkeys = new FakePasskeys();
  readonly saved = new Map<string, string>();
  local = new FakeStorage();
  session = new FakeStorage();
  reloaded = false;
  canShareNatively = false;
  pixelRatio = 1;
  hidden = false;
  floating = false;
  clipboard: string | undefined = '';
  /** Held by other pages. */
  readonly locks = new Set<string>();
  readonly history: string[] = [];
  /** Where the page has left to. */
  left: string | undefined;
  #address: URL;
  readonly #bytes = seededBytes(++browsers);

  constructor(path = '/') {
    this.#address = new URL(path, 'https://stube.example');
  }

  address(): Address {
    return this.#address;
  }

  push(path: string): void {
    this.history.push(path);
    this.#address = new URL(path, this.#address.origin);
  }

  replace(path: string): void {
    this.#address = new URL(path, this.#address.origin);
  }

  leave(path: string): void {
    this.left = path;
  }

  random(): number {
    return 0.5;
  }

  randomBytes(length: number): Uint8Array {
    return this.#bytes(length);
  }

  async copy(text: string): Promise<void> {
    if (this.clipboard === undefined) throw new Error('forbidden');
    this.clipboard = text;
  }

  saveText(name: string, text: string): void {
    this.saved.set(name, text);
  }

  async shareNatively(): Promise<void> {}

  async lock(name: string): Promise<boolean> {
    if (this.locks.has(name)) return false;
    this.locks.add(name);
    return true;
  }

  readonly #seen: (() => void)[] = [];
  readonly #used: (() => void)[] = [];
  /** Tells this page whether it leads. */
  setLeads: (leads: boolean) => void = () => {};
  leads = true;

  lead(_name: string, changed: (leads: boolean) => void): () => void {
    this.setLeads = (leads) => {
      if (leads === this.leads) return;
      this.leads = leads;
      changed(leads);
    };
    changed(this.leads);
    return () => this.setLeads(true);
  }

  onBack(): void {}
  onNetwork(): void {}

  onVisibility(callback: () => void): void {
    this.#seen.push(callback);
  }

  onUsed(callback: () => void): void {
    this.#used.push(callback);
  }

  setHidden(hidden: boolean): void {
    this.hidden = hidden;
    for (const callback of this.#seen) callback();
  }

  /** Somebody touches the page. */
  touch(): void {
    for (const callback of this.#used) callback();
  }
}

/** Notes what sounds now. */
export class FakeTones implements Tones {
  readonly sounding: string[] = [];
  readonly once: string[] = [];

  ring(): () => void {
    return this.#sound('ring');
  }

  ringBack(): () => void {
    return this.#sound('ring back');
  }

  over(): void {
    this.once.push('over');
  }

  #sound(name: string): () => void {
    this.sounding.push(name);
    return () => {
      const at = this.sounding.indexOf(name);
      if (at >= 0) this.sounding.splice(at, 1);
    };
  }
}

/** What the system shows, and a person who answers when asked. */
export class FakeNotices implements Notices {
  allowed: NoticePermission = 'default';
  /** What the person says when asked. */
  answer: NoticePermission = 'granted';
  asked = 0;
  readonly shown: Notice[] = [];
  /** The call whose notification opened this page, by its button for yes. */
  opened: string | undefined;
  act: (call: string, action: NoticeAction) => void = () => {};

  permission(): NoticePermission {
    return this.allowed;
  }

  async ask(): Promise<NoticePermission> {
    this.asked += 1;
    if (this.allowed === 'default') this.allowed = this.answer;
    return this.allowed;
  }

  async accepted(call: string): Promise<boolean> {
    return this.opened === call;
  }

  show(notice: Notice, _opened?: () => void): () => void {
    this.shown.push(notice);
    return () => {
      this.shown.splice(this.shown.indexOf(notice), 1);
    };
  }

  onAct(listener: (call: string, action: NoticeAction) => void): void {
    this.act = listener;
  }
}

/** The part of a track that models touch. */
export class FakeTrack {
  onended: (() => void) | null = null;
  enabled = true;
  readyState = 'live';
  contentHint = '';
  constraints: MediaTrackConstraints = {};

  constructor(
    readonly kind: 'audio' | 'video',
    readonly device: string,
  ) {}

  getSettings(): MediaTrackSettings {
    return { deviceId: this.device };
  }

  stop(): void {
    this.readyState = 'ended';
  }

  async applyConstraints(constraints: MediaTrackConstraints): Promise<void> {
    this.constraints = constraints;
  }

  /** Pulled out. */
  end(): void {
    this.readyState = 'ended';
    this.onended?.();
  }
}

export class FakeCapture implements Capture {
  obstacle: 'insecure' | 'unsupported' | undefined;
  canShareScreen = true;
  permissions: Record<CaptureKind, 'granted' | 'denied' | 'prompt'> = { microphone: 'granted', camera: 'granted' };
  microphones = ['mic-a'];
  cameras = ['cam-a'];
  busy = new Set<string>();
  /** What the person says when asked. */
  answer: 'granted' | 'denied' = 'granted';
  readonly asked: string[] = [];
  readonly tracks: FakeTrack[] = [];
  #onChanged: () => void = () => {};

  async permission(kind: CaptureKind): Promise<'granted' | 'denied' | 'prompt'> {
    return this.permissions[kind];
  }

  async open(wanted: ReadonlyMap<CaptureKind, CaptureChoice>): Promise<ReadonlyMap<CaptureKind, MediaStreamTrack>> {
    const kinds = [...wanted.keys()];
    this.asked.push(kinds.map((kind) => (wanted.get(kind)?.music ? 'music' : kind)).join('+'));
    for (const kind of kinds) if (this.permissions[kind] === 'prompt') this.permissions[kind] = this.answer;
    if (kinds.some((kind) => this.permissions[kind] === 'denied')) throw new CaptureError('denied');
    const devices = kinds.map((kind) => {
      const present = kind === 'microphone' ? this.microphones : this.cameras;
      const chosen = wanted.get(kind)?.device ?? present[0];
      if (!chosen || !present.includes(chosen)) throw new CaptureError('missing');
      if (this.busy.has(chosen)) throw new CaptureError('busy');
      return [kind, chosen] as const;
    });
    const opened = devices.map(([kind, device]) => {
      const track = new FakeTrack(kind === 'microphone' ? 'audio' : 'video', device);
      this.tracks.push(track);
      return [kind, track as unknown as MediaStreamTrack] as const;
    });
    return new Map(opened);
  }

  async list(): Promise<DeviceList> {
    const named = (ids: string[]) => ids.map((id) => ({ id, label: id.toUpperCase() }));
    return { microphones: named(this.microphones), cameras: named(this.cameras), speakers: [] };
  }

  onDevicesChanged(callback: () => void): void {
    this.#onChanged = callback;
  }

  plug(change: () => void): void {
    change();
    this.#onChanged();
  }

  async openScreen(): Promise<{ video: MediaStreamTrack }> {
    const track = new FakeTrack('video', 'screen');
    this.tracks.push(track);
    return { video: track as unknown as MediaStreamTrack };
  }

  get live(): string[] {
    return this.tracks.filter((track) => track.readyState === 'live').map((track) => track.device);
  }
}

/** Answers by method and path; a missing route is a test's mistake. */
export class FakeServer {
  readonly routes = new Map<string, (body: unknown) => [status: number, body: object]>();
  readonly requests: { route: string; body: unknown; bearer: string | null }[] = [];
  /** With the query, below `/api/v1`. */
  readonly addresses: string[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly http = new Http((input, init) => this.#answer(String(input), init));

  on(route: string, status: number, body: object): void {
    this.routes.set(route, () => [status, body]);
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  /** `credential`: a guest's grant, or how to get a ticket; without it, the session's cookie. */
  client(clock: FakeClock, credential?: string | (() => Promise<string>)): Client {
    return new Client({
      client: { name: 'test', version: '0' },
      clock,
      random: () => 0.5,
      ticket: typeof credential === 'function' ? credential : () => this.http.ticket(credential),
      openSocket: (ticket) => {
        const socket = new FakeSocket(ticket);
        this.sockets.push(socket);
        return socket;
      },
    });
  }

  async #answer(url: string, init: RequestInit | undefined): Promise<Response> {
    const [path = ''] = url.replace('/api/v1', '').split('?');
    const route = `${init?.method ?? 'GET'} ${path}`;
    this.addresses.push(url.replace('/api/v1', ''));
    const isJson = new Headers(init?.headers).get('content-type') === 'application/json';
    const body: unknown = isJson ? JSON.parse(String(init?.body)) : (init?.body ?? undefined);
    this.requests.push({ route: `${route}`, body, bearer: new Headers(init?.headers).get('authorization') });
    const answer = this.routes.get(route);
    if (!answer) throw new Error(`nobody answers ${route}`);
    const [status, json] = answer(body);
    // A real Response reads its body over several turns of the event loop; this one is read at once.
    return { ok: status < 400, status, json: async () => json } as Response;
  }
}

/** A browser that tells nothing of itself. */
export const SILENT_REPORT: ReportPorts = { network: () => undefined, browser: 'other' };

/** The media layer as a call sees it: notes what it is told. */
export class FakeMedia {
  /** Whoever listens for samples. */
  readonly sampled = new Set<SampleListener>();
  readonly stats = {
    subscribe: (listener: SampleListener) => {
      this.sampled.add(listener);
      return () => this.sampled.delete(listener);
    },
  };
  readonly log: string[] = [];
  readonly speakers = { choose: () => {}, unblock: () => this.log.push('unblock') };
  signalling: Signalling | undefined;

  constructor(readonly events: MediaEvents) {}

  async prepare(): Promise<void> {
    this.log.push('prepare');
  }

  prepared = false;

  async arrive(prepare: (offer: LinkOffer) => Promise<{ sdp: string; connection: string }>): Promise<void> {
    this.prepared = true;
    const mids = { microphone: '0', camera: '1', screen: '2', screen_audio: '3' };
    try {
      const { connection } = await prepare({ sdp: 'offer', uplink: mids, slots: [] });
      this.log.push(`arrived ${connection}`);
    } catch (error) {
      this.prepared = false;
      throw error;
    }
  }

  unprepare(): void {
    if (this.prepared) this.log.push('unprepare');
    this.prepared = false;
  }

  connect(signalling: Signalling): void {
    this.log.push('connect');
    this.prepared = false;
    this.signalling = signalling;
  }

  setSignalling(up: boolean): void {
    this.log.push(up ? 'signalling up' : 'signalling down');
  }

  follow(_view: RoomView): void {}

  setTrack(source: string, track: unknown): void {
    this.log.push(`${source} ${track ? 'on' : 'off'}`);
  }

  setMusic(music: boolean): void {
    if (music) this.log.push('music');
  }

  output(): object {
    return { video: {}, audio: {} };
  }

  carries(): boolean {
    return true;
  }

  readonly thin = new Set<string>();

  paused(key: string): boolean {
    return this.thin.has(key);
  }

  get pauses(): boolean {
    return this.thin.size > 0;
  }

  looksAt(keys: ReadonlySet<string>): void {
    this.log.push(`looks at ${[...keys].join(', ')}`);
  }

  wish(wishes: object): void {
    this.log.push(`wishes ${JSON.stringify(wishes)}`);
  }

  forget(key: string): void {
    this.log.push(`forget ${key}`);
  }

  expectFresh(key: string): void {
    this.log.push(`fresh ${key}`);
  }

  restart(): void {
    this.log.push('restart');
  }

  close(): void {
    this.log.push('close');
  }
}
