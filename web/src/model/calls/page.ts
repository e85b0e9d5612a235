/**
 * The page of a call until somebody else is inside, and after a call that came to nothing. The caller sits in the call's
 * room from the first moment on, so that answering waits for nothing.
 */

import type { Call as Ring, RoomLeftReason, RoomView } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import { Refusal } from '../../session/refusal.ts';
import { callPath, personPath } from '../address.ts';
import type { Browser } from '../browser.ts';
import type { Call } from '../call.ts';
import type { Device } from '../device_id.ts';
import type { DevicesModel } from '../devices.ts';
import { problemFrom } from '../problem.ts';
import type { Remembered } from '../remembered.ts';
import { roomPath } from '../room_name.ts';
import { Store } from '../store.ts';
import type { CallEntry, CallsModel } from './calls.ts';
import { calleeOf } from './people.ts';
import type { Callee } from './port.ts';
import type { Tones } from './ports.ts';
import type { CallOutcome, CallPageScreen, CallPageState } from './screens.ts';

/** A call's end is told on two channels: so long one waits for the other to say why. */
const WHY_MS = 1_000;

export interface CallPagePorts {
  readonly browser: Browser;
  readonly client: Client;
  readonly calls: CallsModel;
  readonly devices: DevicesModel;
  readonly device: Promise<Device>;
  readonly remembered: Remembered;
  readonly tones: Tones;
  newCall(): Call;
  /** Somebody else is inside: from now on the call is the meeting's. */
  entered(call: Call, view: RoomView): void;
  /** Out for another reason than the call's end. */
  left(reason: RoomLeftReason, name: string): void;
  /** To another page, which takes the place of this one in the history. */
  goTo(path: string): void;
}

export class CallPageModel extends Store<CallPageState> implements CallPageScreen {
  readonly #ports: CallPagePorts;
  readonly #entry: CallEntry;
  #call: Call | undefined;
  #room: string | undefined;
  /** The call that one makes oneself. */
  #ring: Ring | undefined;
  #inside = false;
  #closed = false;
  #stopTone: (() => void) | undefined;
  #cancelWhy = (): void => {};
  readonly #unlisten: () => void;

  constructor(ports: CallPagePorts, entry: CallEntry) {
    super(firstState(ports.remembered, entry));
    this.#ports = ports;
    this.#entry = entry;
    this.#unlisten = ports.calls.onRings(() => this.#follow());
  }

  /** The address that it stands at, once there is one. */
  get path(): string | undefined {
    return this.#room === undefined ? undefined : callPath(this.#room);
  }

  open(): void {
    this.#enter().catch((error) => this.#failed(error));
  }

  hangUp(): void {
    if (this.state.phase !== 'ended') this.back();
  }

  again(): void {
    const { person, video } = this.state;
    if (person) this.#ports.calls.call(person, video);
  }

  back(): void {
    const { person } = this.state;
    this.#ports.goTo(person ? personPath(person.id) : '/');
  }

  /** One goes elsewhere: what one rings stops ringing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#quiet();
    this.#unlisten();
    if (this.state.phase === 'ended') return;
    const { calls, client, devices } = this.#ports;
    if (this.#ring) client.people.answer('cancel_call', this.#ring.id).catch(() => {});
    this.#call?.close();
    devices.end();
    calls.setAsking(undefined);
  }

  async #enter(): Promise<void> {
    const entry = this.#entry;
    if (entry.kind === 'start') await this.#start(entry.person, entry.video);
    else if (entry.kind === 'accept') await this.#accept(entry.call, entry.video);
    else await this.#byAddress(entry.room, entry.accept);
  }

  async #start(person: Callee, video: boolean): Promise<void> {
    const { calls, client } = this.#ports;
    this.#prepare(true, video);
    calls.setAsking(person.id);
    const ring = await client.people.startCall(person.id, video);
    calls.setAsking(undefined);
    if (this.#closed) {
      // Hung up before the server answered.
      if (ring) client.people.answer('cancel_call', ring.id).catch(() => {});
      return;
    }
    this.#ring = ring;
    const call = ring ?? calls.rings.lastFrom(person.id);
    if (call === undefined) throw new Refusal('call_over');
    this.patch({ phase: ring ? phaseOf(ring) : 'connecting' });
    await this.#sitDown(call.room, person, call.into);
  }

  async #accept(call: Ring, video: boolean): Promise<void> {
    this.#prepare(true, video);
    await this.#ports.client.people.answer('accept_call', call.id);
    await this.#sitDown(call.room, calleeOf(call.person), call.into);
  }

  async #byAddress(room: string, accept: boolean): Promise<void> {
    const { calls, remembered } = this.#ports;
    await this.#home();
    if (this.#closed) return;
    const incoming = calls.rings.incomingTo(room);
    const accepted = incoming !== undefined && accept && (await calls.wasAccepted(incoming.id));
    if (this.#closed) return;
    if (incoming && accepted) {
      calls.putAway(incoming.id);
      this.patch({ person: calleeOf(incoming.person), video: incoming.video });
      await this.#accept(incoming, incoming.video);
    } else if (incoming) {
      // It rings: the dialog over the home page is where it is answered.
      this.#ports.goTo('/');
    } else {
      const before = remembered.meeting(callPath(room));
      const call = remembered.call(room);
      // Where this tab was not in the call, nobody but the address asks for it: whoever follows a link is not heard at once.
      this.#prepare(before?.microphone ?? call !== undefined, before?.camera ?? call?.video ?? false);
      await this.#sitDown(room, call?.person);
    }
  }

  /** What rings is known as soon as the first list is here. */
  #home(): Promise<void> {
    const { calls } = this.#ports;
    if (calls.rings.fresh) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = calls.onRings(() => {
        if (!calls.rings.fresh && !this.#closed) return;
        stop();
        resolve();
      });
    });
  }

  /** While the server is asked: devices and the media connection. */
  #prepare(microphone: boolean, camera: boolean): void {
    void this.#ports.devices.begin({ microphone, camera, explained: true });
    this.#call = this.#ports.newCall();
  }

  async #sitDown(room: string, person: Callee | undefined, into?: string): Promise<void> {
    const { browser, client, remembered } = this.#ports;
    const device = await this.#ports.device;
    const call = this.#call;
    if (this.#closed || !call) return;
    this.#room = room;
    if (into === undefined) {
      if (person) remembered.setCall({ room, person, video: this.state.video });
      if (browser.address().pathname !== callPath(room)) browser.push(callPath(room));
      else browser.replace(callPath(room));
    }
    call.listener = {
      view: (view) => this.#view(call, view),
      refused: (refusal) => this.#failed(refusal),
      ended: () => this.#ports.left('session_ended', person?.name ?? ''),
      left: (reason) => this.#left(reason),
    };
    if (into === undefined) call.joinCall(client, room, device.id);
    else call.join(client, into, device.id);
    this.#follow();
  }

  #view(call: Call, view: RoomView): void {
    this.#inside = true;
    if (view.kind !== 'call') this.#ports.browser.push(roomPath(view.name, view.access));
    const others = view.participants.filter((one) => one.id !== view.you);
    if (others.length === 0 && view.kind === 'call') {
      this.#follow();
      return;
    }
    this.#closed = true;
    this.#quiet();
    this.#unlisten();
    call.listener = {};
    this.#ports.entered(call, view);
  }

  /** What rings is another. */
  #follow(): void {
    const room = this.#room;
    if (this.#closed || room === undefined || this.state.phase === 'ended') return;
    const end = this.#ring && this.#ports.calls.rings.endOf(this.#ring.id);
    if (end && end !== 'answered') {
      this.#end(end);
      return;
    }
    const { fresh } = this.#ports.calls.rings;
    this.patch({ lost: fresh ? undefined : true });
    const ring = this.#outgoing(room);
    if (ring) {
      this.#ring = ring;
      this.patch({ phase: phaseOf(ring), person: calleeOf(ring.person), video: ring.video });
    } else if (fresh && (end || this.#inside)) this.patch({ phase: 'connecting' });
    this.#sound();
  }

  #outgoing(room: string): Ring | undefined {
    return this.#ports.calls.rings.outgoing(room)[0];
  }

  #left(reason: RoomLeftReason): void {
    if (reason !== 'call_ended') {
      this.#ports.left(reason, this.state.person?.name ?? '');
      return;
    }
    this.#quiet();
    this.#cancelWhy = this.#ports.browser.clock.after(WHY_MS, () => this.#end('over'));
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    const end = this.#ring && this.#ports.calls.rings.endOf(this.#ring.id);
    const problem = problemFrom(error);
    if (end && end !== 'answered') this.#end(end);
    else if (OVER.has(problem.code)) this.#end('over');
    else this.#end(undefined, problem);
  }

  #end(outcome: CallOutcome | undefined, problem?: CallPageState['problem']): void {
    if (this.#closed || this.state.phase === 'ended') return;
    this.#quiet();
    this.patch({ phase: 'ended', lost: undefined, outcome, problem });
    const { calls, devices, tones } = this.#ports;
    this.#call?.close();
    devices.end();
    calls.setAsking(undefined);
    if (this.#entry.kind === 'start') tones.over();
  }

  #sound(): void {
    const { lost, phase } = this.state;
    if (!lost && (phase === 'ringing' || phase === 'searching')) this.#stopTone ??= this.#ports.tones.ringBack();
    else this.#quiet();
  }

  #quiet(): void {
    this.#cancelWhy();
    this.#stopTone?.();
    this.#stopTone = undefined;
  }
}

/** The call is not there any more, or never was: for whoever asks it is the same. */
const OVER: ReadonlySet<string> = new Set(['call_over', 'not_found', 'forbidden']);

function phaseOf(ring: Ring): 'ringing' | 'searching' {
  return ring.ringing ? 'ringing' : 'searching';
}

function firstState(remembered: Remembered, entry: CallEntry): CallPageState {
  switch (entry.kind) {
    case 'start':
      return { phase: 'asking', person: entry.person, video: entry.video };
    case 'accept':
      return { phase: 'connecting', person: calleeOf(entry.call.person), video: entry.video };
    case 'address': {
      const call = remembered.call(entry.room);
      return { phase: 'connecting', video: call?.video ?? false, ...(call ? { person: call.person } : {}) };
    }
  }
}
