/**
 * Calls inside a meeting: how long one talks, who is being rung in, and ringing more people in. The same in a call's own
 * room and in a room with a name.
 */

import type { Call, CallEnd, RoomView } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import type { Http } from '../../session/http.ts';
import type { Browser } from '../browser.ts';
import { problemFrom } from '../problem.ts';
import type { Remembered } from '../remembered.ts';
import { Store } from '../store.ts';
import type { CallsModel } from './calls.ts';
import { calleeOf } from './people.ts';
import { PickerModel } from './picker.ts';
import type { MeetingCallsScreen, MeetingCallsState, RungPerson } from './screens.ts';

const NOTE_MS = 6_000;
/** They came in, or gave up: seen anyway, or no news. */
const SILENT: ReadonlySet<CallEnd> = new Set<CallEnd>(['answered', 'cancelled']);

export interface MeetingCallsPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly client: Client;
  readonly calls: CallsModel;
  readonly remembered: Remembered;
  /** Oneself. */
  readonly you: string;
}

export class MeetingCalls extends Store<MeetingCallsState> implements MeetingCallsScreen {
  readonly #ports: MeetingCallsPorts;
  readonly #unlisten: () => void;
  #room: string | undefined;
  #rung: readonly Call[] = [];
  #picker: PickerModel | undefined;
  #cancelNote = (): void => {};

  constructor(ports: MeetingCallsPorts) {
    super({ rung: [] });
    this.#ports = ports;
    this.#unlisten = ports.calls.onRings(() => this.#draw());
  }

  follow(view: RoomView): void {
    this.#room = view.id;
    if (view.kind === 'call') {
      // It belongs to nobody any more: out of it the way leads home.
      if (view.participants.length > 2) this.#ports.remembered.setCall(undefined);
      const since = beganAt(view);
      if (this.state.since === undefined && since !== undefined) this.patch({ since });
    }
    this.#draw();
  }

  openPicker(): void {
    if (this.#picker) return;
    const { browser, client, http, you } = this.#ports;
    this.#picker = new PickerModel({ browser, client, http, you, choose: (person) => this.#ring(person.id) });
    this.patch({ picker: this.#picker, problem: undefined });
  }

  closePicker(): void {
    this.#picker?.close();
    this.#picker = undefined;
    this.patch({ picker: undefined });
  }

  cancel(call: string): void {
    this.#ports.client.people.answer('cancel_call', call).catch(() => {});
  }

  close(): void {
    this.#cancelNote();
    this.#unlisten();
    this.closePicker();
  }

  #ring(person: string): void {
    this.closePicker();
    this.patch({ problem: undefined });
    this.#ports.client.people.ringIn(person).catch((error) => {
      this.patch({ problem: problemFrom(error) });
      this.#cancelNote();
      this.#cancelNote = this.#ports.browser.clock.after(NOTE_MS, () => this.patch({ problem: undefined }));
    });
  }

  #draw(): void {
    const { rings } = this.#ports.calls;
    if (this.#room === undefined) return;
    const before = this.#rung;
    const now = rings.outgoing(this.#room);
    const gone = before.filter((call) => !now.some((one) => one.id === call.id));
    this.#rung = now;
    if (!same(before, now)) this.patch({ rung: now.map(rungPerson) });
    for (const call of gone) this.#ended.add(call);
    for (const call of this.#ended) {
      const end = rings.endOf(call.id);
      if (end === undefined) continue;
      this.#ended.delete(call);
      if (!SILENT.has(end)) this.#note(call.person.name, end);
    }
  }

  /** Rung no more, and why is not told yet. */
  readonly #ended = new Set<Call>();

  #note(name: string, outcome: CallEnd): void {
    this.patch({ note: { name, outcome } });
    this.#cancelNote();
    this.#cancelNote = this.#ports.browser.clock.after(NOTE_MS, () => this.patch({ note: undefined }));
  }
}

function rungPerson(call: Call): RungPerson {
  return { call: call.id, person: calleeOf(call.person), ringing: call.ringing };
}

function same(a: readonly Call[], b: readonly Call[]): boolean {
  return a.length === b.length && a.every((call, i) => call === b[i]);
}

/** Two people are what makes a talk. */
function beganAt({ participants }: RoomView): number | undefined {
  const [, second] = participants.map((one) => one.joined_at).sort((a, b) => a - b);
  return second;
}
