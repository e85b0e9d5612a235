/**
 * What rings on this device, whatever page stands: the dialog, the sound, the notification, and how somebody is called
 * from any page. One tab of a browser leads and makes the noise. Devices are opened by the call's page, never here.
 */

import type { Call } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import { callPath } from '../address.ts';
import type { Browser } from '../browser.ts';
import { Store } from '../store.ts';
import { Activity } from './activity.ts';
import { NotifyModel } from './notify.ts';
import { calleeOf } from './people.ts';
import type { Callee } from './port.ts';
import type { NoticeAction, Notices, Tones } from './ports.ts';
import { Rings } from './rings.ts';
import type { CallsScreen, CallsState, IncomingCall, NoticeWords } from './screens.ts';

const LEADER = 'stube-leads';

/** How one gets into a call. */
export type CallEntry =
  | { readonly kind: 'start'; readonly person: Callee; readonly video: boolean }
  | { readonly kind: 'accept'; readonly call: Call; readonly video: boolean }
  /** By its address: after a reload, or from a notification that was accepted. */
  | { readonly kind: 'address'; readonly room: string; readonly accept: boolean };

export interface CallsPorts {
  readonly browser: Browser;
  readonly tones: Tones;
  readonly notices: Notices;
  /** Whether this browser gives cameras at all. */
  canVideo(): boolean;
  enter(entry: CallEntry): void;
}

export class CallsModel extends Store<CallsState> implements CallsScreen {
  readonly notify: NotifyModel;
  readonly rings = new Rings();
  readonly #ports: CallsPorts;
  readonly #activity: Activity;
  readonly #listeners = new Set<() => void>();
  readonly #lead: () => void;
  #client: Client | undefined;
  #unlisten = (): void => {};
  /** One calls them at this moment: if they call back, the server makes one call of both. */
  #asking: string | undefined;
  #stopTone: (() => void) | undefined;

  constructor(ports: CallsPorts) {
    super({ leads: false, notifies: false });
    const { browser, notices } = ports;
    this.#ports = ports;
    this.notify = new NotifyModel(notices, browser.local);
    this.#activity = new Activity(browser, (active) => this.#client?.people.setActive(active));
    // The tab that was touched last may play sounds, so it leads.
    this.#lead = browser.lead(LEADER, (leads) => {
      this.patch({ leads });
      this.#draw();
    });
    notices.onAct((call, action) => this.#act(call, action));
    browser.onUsed(() => this.#lead());
    browser.onVisibility(() => this.#draw());
  }

  attach(client: Client): void {
    this.#client = client;
    client.people.setActive(this.#activity.active);
    this.#unlisten = client.listen({
      live: (live) => {
        if (!live) this.rings.lost();
        this.#draw();
      },
      home: (home) => {
        this.rings.follow(home);
        this.#draw();
      },
      changed: (change) => {
        this.rings.changed(change);
        if (change.type === 'call_ended') this.#tell();
      },
    });
    if (client.home && client.live) this.rings.follow(client.home);
    this.#draw();
  }

  detach(): void {
    this.#unlisten();
    this.#client = undefined;
    this.rings.lost();
    this.#draw();
  }

  /** Called whenever what rings is another; `rings` says what. */
  onRings(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  call(person: Callee, video: boolean): void {
    this.#ports.enter({ kind: 'start', person, video: video && this.#ports.canVideo() });
  }

  /** While somebody is being asked to be called, their own call here is part of it. */
  setAsking(person: string | undefined): void {
    this.#asking = person;
    this.#draw();
  }

  /** It is being answered: from now on it is not shown here any more. */
  putAway(call: string): void {
    this.rings.putAway(call);
    this.#draw();
  }

  accept(video: boolean): void {
    const call = this.#take();
    if (call) this.#ports.enter({ kind: 'accept', call, video: video && this.#ports.canVideo() });
  }

  decline(): void {
    const call = this.#take();
    if (call) this.#client?.people.answer('decline_call', call.id).catch(() => {});
  }

  ignore(): void {
    const call = this.#take();
    if (call) this.#client?.people.answer('ignore_call', call.id).catch(() => {});
  }

  showNotice({ title, text, accept, decline }: NoticeWords): () => void {
    const call = this.rings.incoming;
    if (!call) return () => {};
    const notice = {
      tag: `call-${call.id}`,
      title,
      text,
      picture: calleeOf(call.person).picture,
      path: callPath(call.room),
      call: { id: call.id, room: call.room },
      actions: [
        { action: 'accept', title: accept },
        { action: 'decline', title: decline },
      ],
    } as const;
    return this.#ports.notices.show(notice);
  }

  /** By the click that opened this page. */
  wasAccepted(call: string): Promise<boolean> {
    return this.#ports.notices.accepted(call);
  }

  /** A notification was answered. A late click, on what does not ring any more, does nothing. */
  #act(call: string, action: NoticeAction): void {
    const { incoming } = this.rings;
    if (action === 'open' || incoming?.id !== call) return;
    if (action === 'accept') this.accept(incoming.video);
    else this.decline();
  }

  /** What rings, once. */
  #take(): Call | undefined {
    const call = this.rings.incoming;
    if (call) this.putAway(call.id);
    return call;
  }

  #draw(): void {
    const call = this.rings.incoming;
    const shown = call && call.person.id !== this.#asking ? call : undefined;
    const { incoming, leads } = this.state;
    const notifies = leads && this.#ports.browser.hidden && this.notify.refresh();
    this.patch({ incoming: shown ? this.#incoming(shown, incoming) : undefined, notifies });
    this.#sound(shown !== undefined && leads);
    this.#tell();
  }

  /** The same object for the same call: nothing on the screen moves for it. */
  #incoming(call: Call, before: IncomingCall | undefined): IncomingCall {
    if (before?.id === call.id) return before;
    const room = call.into?.replace(/^public\//, '');
    return {
      id: call.id,
      person: calleeOf(call.person),
      video: call.video,
      canVideo: this.#ports.canVideo(),
      ...(room === undefined ? {} : { room }),
    };
  }

  #sound(on: boolean): void {
    if (on) this.#stopTone ??= this.#ports.tones.ring();
    else {
      this.#stopTone?.();
      this.#stopTone = undefined;
    }
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
