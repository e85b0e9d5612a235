/**
 * The media of one seat: keeps a link to the server alive, puts own tracks into it, and binds its slots to the people
 * whom the server assigns. Decides when to offer anew: another connection at the server, more people than slots, a path
 * that went quiet, a connection that broke. Sends nothing itself: signalling is a port.
 */

import type { RoomView, Slot, Source } from '../protocol/generated.ts';
import { type Budget, BudgetKeeper } from './budget.ts';
import type { Clock } from './clock.ts';
import { lineOf } from './encodings.ts';
import { FrameWatch } from './frame_watch.ts';
import { assigned, drawn, type Label, stale } from './label.ts';
import { FIRST_PERSON_SLOTS, Link, type LinkOffer, type Pair, type PeerPorts } from './link.ts';
import { AudioOutput, Speakers, VideoOutput } from './outputs.ts';
import { DOUBT_MS, PathWatch, Recovery } from './path_watch.ts';
import { type ExpectedPicture, PictureWatch } from './picture_watch.ts';
import { type Sample, StatsPoller } from './stats.ts';
import { ALL_WISHES, type Wishes } from './uplink.ts';

const MOST_PERSON_SLOTS = 25;
/** People join in numbers: slots are added in steps, so that a growing meeting costs few offers. */
const SLOT_STEP = 6;
/** How long a connection may take to come up, from its answer on, before it is given up. */
const CONNECT_MS = 8_000;
/** The smallest picture goes on for so long beside the one that a newcomer wants. */
const GREETING_MS = 2_000;
const RETRY_MS = 1_500;
/** How long media may not come through, while the server answers, before the network is to blame. */
const OBSTRUCTED_MS = 5_000;

export interface Signalling {
  offer(offer: LinkOffer & { connection?: string }): Promise<{ sdp: string; connection: string }>;
  slotReady(slot: number, generation: number): void;
  noPicture(slot: number, generation: number): void;
}

export interface MediaPorts extends PeerPorts {
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  /** Tells whether the system is pressed, until the returned function is called. */
  watchPressure(onChange: (pressed: boolean) => void): () => void;
}

export interface MediaEvents {
  /** Whether sound and pictures can flow. */
  flowing(flowing: boolean): void;
  /** The server answers, but nothing comes through between it and our media: the network in between lets none through. */
  obstructed(obstructed: boolean): void;
  /** The picture of this output may be shown, or must not be any more. */
  visible(key: string, visible: boolean): void;
  soundBlocked(blocked: boolean): void;
  /** This device bears less than before, or more again. */
  bears(budget: Budget, less: boolean): void;
}

/** Where one person's (or one shared screen's) media comes out. */
export interface Output {
  readonly video: VideoOutput;
  readonly audio: AudioOutput;
}

interface Bound {
  readonly pair: Pair;
  label: Label;
  watch: FrameWatch | undefined;
  /** The line has no room for this picture. */
  paused: boolean;
}

export class Media {
  readonly speakers: Speakers;
  /** What the browser measures of whichever link there is. */
  readonly stats: StatsPoller;
  readonly #ports: MediaPorts;
  readonly #events: MediaEvents;
  readonly #outputs = new Map<string, Output>();
  readonly #tracks = new Map<Source, MediaStreamTrack | null>();
  readonly #slots = new Map<number, Bound>();
  readonly #pictures = new PictureWatch();
  readonly #budget: BudgetKeeper;
  readonly #unwatchPressure: () => void;
  /** Whose pictures can be seen at the moment. */
  #looksAt: ReadonlySet<string> = new Set();
  #wishes = ALL_WISHES;
  #music = false;
  #signalling: Signalling | undefined;
  #link: Link;
  #view: RoomView | undefined;
  /** The link whose offer is on its way. A browser never comes back to whoever waits for a link that was closed. */
  #negotiates: Link | undefined;
  /** The server has said once that its connection is ours: from then on another one means that ours is gone. */
  #confirmed = false;
  #flowing = false;
  #signallingUp = false;
  #closed = false;
  #retryAt = 0;
  readonly #path: PathWatch;
  readonly #recovery = new Recovery();
  #connectingSince = 0;
  /** Since when the server answers and media does not come through. */
  #inVainSince: number | undefined;
  #obstructed = false;
  #cancelLook: (() => void) | undefined;
  #cancelGreeting: (() => void) | undefined;

  constructor(ports: MediaPorts, events: MediaEvents) {
    this.#ports = ports;
    this.#events = events;
    this.speakers = new Speakers((blocked) => events.soundBlocked(blocked));
    this.#link = this.#newLink(FIRST_PERSON_SLOTS);
    this.stats = new StatsPoller(ports.clock, () => this.#link.sample(() => ports.clock.now()));
    this.stats.subscribe((sample) => this.#watchPath(sample));
    this.stats.subscribe((sample) => this.#watchPictures(sample));
    this.#budget = new BudgetKeeper((budget, step, before) => {
      this.wish({ layers: budget.layers, fps: budget.fps });
      events.bears(budget, step > before);
    });
    this.stats.subscribe((sample) => this.#budget.take(sample));
    this.#unwatchPressure = ports.watchPressure((pressed) => {
      this.#budget.pressed = pressed;
    });
    this.#path = new PathWatch(ports.clock.now());
    this.stats.subscribe(({ path }) => {
      this.wish({ line: lineOf(this.#wishes.line, path?.availableOutgoingBps) });
    });
  }

  /** At the door: everything that needs no server. */
  async prepare(): Promise<void> {
    await this.#link.offer();
  }

  /** The connection is up, or on its way, before there is a seat. */
  get prepared(): boolean {
    return !this.#signalling && (this.#negotiating || (this.#link.connection !== undefined && !this.#isBroken));
  }

  /** Still at the door: the server takes the offer already, and the connection comes up. Nothing flows before `connect`. */
  async arrive(prepare: (offer: LinkOffer) => Promise<{ sdp: string; connection: string }>): Promise<void> {
    if (this.#signalling || this.#negotiating || this.#closed) return;
    if (this.#isBroken) this.unprepare();
    const link = this.#link;
    this.#negotiates = link;
    try {
      const { sdp, connection } = await prepare(await link.offer());
      if (!this.#closed && link === this.#link) await link.answer(sdp, connection);
    } finally {
      if (this.#negotiates === link) this.#negotiates = undefined;
      // Somebody has come in meanwhile, and what they came with is of no use.
      if (link.connection === undefined) void this.#negotiate();
    }
    this.#step(false);
  }

  /** What came up at the door is gone: joining makes another one. */
  unprepare(): void {
    if (this.#signalling || this.#closed || this.#link.connection === undefined) return;
    this.#link.close();
    this.#link = this.#newLink(this.#link.personSlots);
    this.#transportChanged();
    this.prepare().catch(() => {});
  }

  /** Sends the offer now, unless the connection is there already; signalling may be refused until the seat is admitted. */
  connect(signalling: Signalling): void {
    if (this.#isBroken) this.unprepare();
    this.#signalling = signalling;
    this.#signallingUp = true;
    // With the seat the server says which connection it has: another one means that ours is gone.
    this.#confirmed = this.#link.connection !== undefined;
    this.#attachTracks(this.#link);
    this.#newPath();
    this.stats.start();
    if (this.#link.connection === undefined) void this.#negotiate();
  }

  /** Whether the server can be spoken to. After a break the next view decides whether our connection still stands. */
  setSignalling(up: boolean): void {
    if (up && !this.#signallingUp) this.#confirmed = true;
    this.#signallingUp = up;
    this.#view = undefined;
    this.#judgeNetwork();
  }

  /** What the server decided, after every change. */
  follow(view: RoomView): void {
    const fresh = this.#view === undefined;
    this.#view = view;
    const ours = this.#link.connection !== undefined && view.connection === this.#link.connection;
    const people = view.participants.length;
    this.#greet(people <= 1);
    this.wish({ two: people <= 2, demand: ours ? view.demand : undefined });
    this.#step(fresh);
  }

  setTrack(source: Source, track: MediaStreamTrack | null): void {
    this.#tracks.set(source, track);
    // At the door nothing is sent.
    if (this.#signalling) this.#link.uplink.setTrack(source, track).catch(() => {});
  }

  /** What of the own pictures is to be sent. */
  wish(wishes: Partial<Wishes>): void {
    const differs = (Object.keys(wishes) as (keyof Wishes)[]).some((key) => wishes[key] !== this.#wishes[key]);
    if (!differs) return;
    this.#wishes = { ...this.#wishes, ...wishes };
    this.#link.uplink.follow(this.#wishes);
  }

  /** What the microphone sends is music. */
  setMusic(music: boolean): void {
    this.#music = music;
    this.#link.setMusic(music).catch(() => {});
  }

  /** Whoever is alone is ready for the next one, and for as long as theirs takes to come up. */
  #greet(alone: boolean): void {
    if (alone) {
      this.#cancelGreeting?.();
      this.#cancelGreeting = undefined;
      this.wish({ greets: true });
    } else if (this.#wishes.greets) {
      this.#cancelGreeting ??= this.#ports.clock.after(GREETING_MS, () => {
        this.#cancelGreeting = undefined;
        this.wish({ greets: false });
      });
    }
  }

  output(key: string): Output {
    let output = this.#outputs.get(key);
    if (!output) {
      output = { video: new VideoOutput(), audio: new AudioOutput(this.speakers) };
      this.#outputs.set(key, output);
      const bound = [...this.#slots.values()].find((one) => outputKey(one.pair, one.label) === key);
      if (bound) this.#bind(bound, output);
    }
    return output;
  }

  forget(key: string): void {
    this.#outputs.get(key)?.video.show(null);
    this.#outputs.get(key)?.audio.play(null);
    this.#outputs.delete(key);
  }

  /** Whether a slot carries this person, so that a picture can come at all. */
  carries(key: string): boolean {
    return [...this.#slots.values()].some((bound) => outputKey(bound.pair, bound.label) === key);
  }

  /** The line has no room for this picture. */
  paused(key: string): boolean {
    return [...this.#slots.values()].some((bound) => bound.paused && outputKey(bound.pair, bound.label) === key);
  }

  /** The line has no room for some picture. */
  get pauses(): boolean {
    return [...this.#slots.values()].some((bound) => bound.paused);
  }

  /** Those whose pictures can be seen, as outputs are named. */
  looksAt(keys: ReadonlySet<string>): void {
    this.#looksAt = keys;
  }

  /** What stands in this picture is old: show it again with the next frame. */
  expectFresh(key: string): void {
    for (const bound of this.#slots.values()) {
      if (outputKey(bound.pair, bound.label) !== key || !bound.label.visible) continue;
      this.#relabel(bound, stale(bound.label));
      this.#watch(bound);
    }
  }

  /** The person asked for it: do not wait for anything. */
  restart(): void {
    if (!this.#signalling || this.#negotiating) return;
    this.#recovery.hurry();
    this.#recover();
  }

  /** The network may have changed: look at the path closely. */
  suspect(): void {
    this.#path.hint(this.#ports.clock.now());
    this.#lookCloser();
  }

  close(): void {
    this.#closed = true;
    this.stats.stop();
    this.#unwatchPressure();
    this.#cancelLook?.();
    this.#cancelGreeting?.();
    this.#emptySlots();
    this.#link.close();
  }

  #newLink(personSlots: number): Link {
    const link = new Link(this.#ports, personSlots, () => {
      if (link === this.#link) this.#transportChanged();
    });
    // What was looked at of the old connection says nothing of the new one.
    this.#wishes = { ...this.#wishes, demand: undefined };
    link.uplink.follow(this.#wishes);
    if (this.#signalling) this.#attachTracks(link);
    link.setMusic(this.#music).catch(() => {});
    return link;
  }

  #attachTracks(link: Link): void {
    for (const [source, track] of this.#tracks) link.uplink.setTrack(source, track).catch(() => {});
  }

  /** Of no use to whoever comes in: a new one is faster than mending it. */
  get #isBroken(): boolean {
    return this.#link.transport === 'down' || this.#link.transport === 'shaky';
  }

  #step(fresh: boolean): void {
    const view = this.#view;
    if (!view || this.#closed) return;
    const ours = this.#link.connection;
    if (ours !== undefined && view.connection === ours) {
      this.#confirmed = true;
      this.#applySlots(view.slots, fresh);
    } else {
      this.#emptySlots();
    }
    if (this.#negotiating || this.#ports.clock.now() < this.#retryAt) return;
    const wantedSlots = slotsFor(view);
    if (ours === undefined) {
      void this.#negotiate();
    } else if (view.connection !== ours) {
      if (this.#confirmed) this.#replaceLink();
    } else if (wantedSlots > this.#link.personSlots && this.#link.transport === 'connected') {
      // Not in the middle of a handshake: those who have a slot already are seen first.
      this.#link.grow(wantedSlots);
      void this.#negotiate();
    } else if (this.#link.offering) {
      // The answer got lost with a socket.
      void this.#negotiate();
    } else if (fresh) {
      // What broke the socket has perhaps broken the path too.
      this.#path.hint(this.#ports.clock.now());
      this.#heal();
    }
  }

  #recover(): void {
    const { clock, random } = this.#ports;
    const remedy = this.#recovery.next(clock.now(), random());
    if (remedy === undefined) return;
    if (remedy === 'replace' || this.#link.transport === 'down' || this.#link.transport === 'new') {
      this.#replaceLink();
    } else {
      this.#link.restartIce();
      void this.#negotiate();
    }
  }

  #replaceLink(): void {
    this.#renewLink(Math.max(this.#link.personSlots, this.#view ? slotsFor(this.#view) : 0));
    void this.#negotiate();
  }

  #renewLink(personSlots: number): void {
    this.#emptySlots();
    this.#link.close();
    this.#confirmed = false;
    this.#link = this.#newLink(personSlots);
    this.#newPath();
    this.#transportChanged();
  }

  #newPath(): void {
    this.#connectingSince = this.#ports.clock.now();
    this.#path.renew(this.#connectingSince);
  }

  async #negotiate(): Promise<void> {
    const { signalling, link } = { signalling: this.#signalling, link: this.#link };
    if (!signalling || this.#negotiating || !this.#signallingUp) return;
    this.#negotiates = link;
    try {
      const { connection } = link;
      const offer = await link.offer();
      const answer = await signalling.offer({ ...offer, ...(connection === undefined ? {} : { connection }) });
      if (this.#closed || link !== this.#link) return;
      // The other end of ours is gone. A browser that has its keys would never agree on others with a new one.
      if (connection !== undefined && answer.connection !== connection) throw { code: 'no_media_connection' };
      if (connection === undefined) {
        this.#confirmed = false;
        this.#connectingSince = this.#ports.clock.now();
      }
      await link.answer(answer.sdp, answer.connection);
    } catch (error) {
      this.#refused(link, codeOf(error));
      // Not yet admitted, or the socket broke: the next view starts it again, or the next look at the path. Never at once.
      if (link === this.#link) return;
    } finally {
      if (this.#negotiates === link) this.#negotiates = undefined;
    }
    this.#step(false);
  }

  get #negotiating(): boolean {
    return this.#negotiates === this.#link;
  }

  #refused(link: Link, code: string): void {
    if (this.#closed || link !== this.#link || ['not_admitted', 'not_in_room', 'offline'].includes(code)) return;
    if (code !== 'no_media_connection') this.#retryAt = this.#ports.clock.now() + RETRY_MS;
    this.#renewLink(link.personSlots);
  }

  #applySlots(slots: readonly Slot[], again: boolean): void {
    for (const slot of slots) {
      const pair = this.#link.pairs[slot.slot];
      if (!pair) continue;
      const bound = this.#slots.get(slot.slot);
      if (bound && bound.label.generation === slot.generation) {
        this.#relabel(bound, assigned(bound.label, slot));
        this.#pause(bound, slot.paused === true);
        if (again) this.#sayReady(slot);
        continue;
      }
      // The old name goes before anything else: nobody's name ever stands under another face.
      if (bound) this.#release(slot.slot, bound);
      const next: Bound = { pair, label: assigned(undefined, slot), watch: undefined, paused: slot.paused === true };
      this.#slots.set(slot.slot, next);
      const output = this.#outputs.get(outputKey(pair, next.label) ?? '');
      if (output) this.#bind(next, output);
      this.#sayReady(slot);
    }
  }

  /** What stood in a picture when it was paused is old when it comes back. */
  #pause(bound: Bound, paused: boolean): void {
    if (paused && !bound.paused && bound.label.visible) {
      this.#relabel(bound, stale(bound.label));
      this.#watch(bound);
    }
    bound.paused = paused;
  }

  /** A picture that should come and does not is the server's to mend. */
  #watchPictures(sample: Sample): void {
    const ours = sample.connection !== undefined && sample.connection === this.#link.connection;
    if (!ours || !this.#flowing || !this.#signallingUp) return;
    for (const { slot, generation } of this.#pictures.look(sample, this.#expectedPictures())) {
      this.#signalling?.noPicture(slot, generation);
    }
  }

  #expectedPictures(): ExpectedPicture[] {
    return [...this.#slots].flatMap(([slot, { pair, label, paused }]) => {
      const { kind } = pair;
      const person = this.#view?.participants.find((one) => one.id === label.participant);
      const source = kind === 'screen' ? 'screen' : 'camera';
      const sends = person?.tracks.some((track) => track.source === source && !track.muted);
      const looked = this.#looksAt.has(outputKey(pair, label) ?? '');
      // What stands still on a shared screen need not come again.
      const came = kind === 'screen' && label.visible;
      const expected = sends && looked && !paused && !came && person?.presence === 'connected';
      return expected ? [{ slot, generation: label.generation }] : [];
    });
  }

  #sayReady(slot: Slot): void {
    if (slot.generation > 1 && slot.first_rtp_timestamp === undefined) {
      this.#signalling?.slotReady(slot.slot, slot.generation);
    }
  }

  #bind(bound: Bound, output: Output): void {
    output.video.show(bound.pair.videoStream);
    output.audio.play(bound.pair.audioStream);
    this.#watch(bound);
  }

  #watch(bound: Bound): void {
    const output = this.#outputs.get(outputKey(bound.pair, bound.label) ?? '');
    if (!output || bound.watch) return;
    bound.watch = new FrameWatch(output.video, bound.pair.video.receiver, this.#ports.clock, (rtp) => {
      this.#relabel(bound, drawn(bound.label, rtp));
    });
  }

  #relabel(bound: Bound, label: Label): void {
    const before = bound.label.visible;
    bound.label = label;
    if (label.visible === before) return;
    if (label.visible) {
      bound.watch?.stop();
      bound.watch = undefined;
    }
    const key = outputKey(bound.pair, label);
    if (key) this.#events.visible(key, label.visible);
  }

  #release(slot: number, bound: Bound): void {
    this.#slots.delete(slot);
    bound.watch?.stop();
    bound.watch = undefined;
    const key = outputKey(bound.pair, bound.label);
    if (!key) return;
    const output = this.#outputs.get(key);
    output?.video.show(null);
    output?.audio.play(null);
    this.#events.visible(key, false);
  }

  #emptySlots(): void {
    for (const [slot, bound] of [...this.#slots]) this.#release(slot, bound);
  }

  #transportChanged(): void {
    const transport = this.#link.transport;
    const flowing = transport === 'connected';
    if (flowing) this.#path.renew(this.#ports.clock.now());
    if (flowing !== this.#flowing) {
      this.#flowing = flowing;
      this.#events.flowing(flowing);
      this.#judgeNetwork();
    }
    if (this.#negotiating || !this.#signallingUp) return;
    if (flowing) this.#step(false);
    else this.#heal();
  }

  #watchPath(sample: Sample): void {
    if (this.#closed || sample.connection !== this.#link.connection) return;
    this.#path.see(sample);
    this.#heal();
    this.#judgeNetwork();
    if (this.#path.isInDoubt(sample.at)) this.#lookCloser();
  }

  #lookCloser(): void {
    const { clock } = this.#ports;
    this.#cancelLook ??= clock.after(DOUBT_MS, () => {
      this.#cancelLook = undefined;
      const now = (): number => clock.now();
      this.#link.sample(now).then(
        (sample) => this.#watchPath(sample),
        () => {},
      );
    });
  }

  #judgeNetwork(): void {
    const now = this.#ports.clock.now();
    const { connection, transport } = this.#link;
    const flows = transport === 'connected' && !this.#path.isDead(now);
    if (flows || !this.#signallingUp || this.#closed) this.#inVainSince = undefined;
    else if (connection !== undefined) this.#inVainSince ??= now;
    const obstructed = this.#inVainSince !== undefined && now - this.#inVainSince >= OBSTRUCTED_MS;
    if (obstructed === this.#obstructed) return;
    this.#obstructed = obstructed;
    this.#events.obstructed(obstructed);
  }

  /** Browsers notice a dead path late, and some never: whatever is wrong is mended from here. */
  #heal(): void {
    // Before the view it is not known whether there is anything to mend.
    if (this.#negotiating || !this.#signallingUp || !this.#view) return;
    const now = this.#ports.clock.now();
    const { connection, transport } = this.#link;
    if (connection === undefined) this.#step(false);
    else if (transport === 'down' || transport === 'shaky') this.#recover();
    else if (transport === 'new') {
      if (now - this.#connectingSince >= CONNECT_MS) this.#replaceLink();
    } else if (this.#path.isDead(now)) this.#recover();
    else if (this.#link.offering) this.#step(false);
    else this.#recovery.over();
  }
}

/** The name of an output: a person's own media, or what they share. */
export function keyFor(participant: string, kind: 'person' | 'screen'): string {
  return `${kind} ${participant}`;
}

function outputKey(pair: Pair, label: Label): string | undefined {
  return label.participant === undefined ? undefined : keyFor(label.participant, pair.kind);
}

function slotsFor(view: RoomView): number {
  const others = view.participants.length - 1;
  if (others <= FIRST_PERSON_SLOTS) return FIRST_PERSON_SLOTS;
  return Math.min(MOST_PERSON_SLOTS, Math.ceil(others / SLOT_STEP) * SLOT_STEP);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'internal';
}
