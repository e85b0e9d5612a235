/**
 * Calls that come while the app is closed: whether this browser wants to be woken, and that the server knows how. Nothing
 * here is waited for by anything else, and the browser asks only after a click.
 */

import type { PushService } from '../../protocol/generated.ts';
import type { Api } from '../../session/api.ts';
import type { Storage } from '../browser.ts';
import { Store } from '../store.ts';
import type { Wakeable } from './ports.ts';
import type { PushScreen, PushState } from './screens.ts';

/** `on <id of the person>`: another person of this browser is asked for themselves. Or `declined`. */
const KEY = 'stube.push';
const DECLINED = 'declined';

export interface PushPorts {
  readonly wakeable: Wakeable;
  readonly api: Api;
  readonly storage: Storage;
  /** As in `hello`. */
  browserId(): string;
  /** Whether this page has its connection. */
  connected(): boolean;
  /** It is to be offered unasked; false: it was answered. */
  offer(wanted: boolean): void;
}

export class PushModel extends Store<PushState> implements PushScreen {
  readonly #ports: PushPorts;
  #person: string | undefined;
  #service: PushService | undefined;

  constructor(ports: PushPorts) {
    super({ on: false, busy: false, obstacle: 'off_in_house' });
    this.#ports = ports;
    ports.wakeable.onAsked(() => ports.connected());
  }

  /** Somebody is signed in, or nobody any more. */
  follow(person: string | undefined): void {
    if (person === this.#person) return;
    this.#person = person;
    this.#service = undefined;
    this.#draw();
    if (person !== undefined) void this.#load(person);
  }

  setOn(on: boolean): void {
    this.#ports.offer(false);
    if (!this.state.busy) void (on ? this.#turnOn() : this.#turnOff());
  }

  decline(): void {
    this.#ports.storage.set(KEY, DECLINED);
    this.#ports.offer(false);
  }

  look(): void {
    this.#draw();
  }

  async #load(person: string): Promise<void> {
    const service = await this.#ask();
    if (!service || this.#person !== person) return;
    this.#service = service;
    this.#draw();
    if (this.state.obstacle !== undefined) return;
    // Each time, since sessions, keys and subscriptions change without a word.
    if (this.#wanted) await this.#subscribe().catch(() => {});
    else if (this.#ports.storage.get(KEY) === undefined) this.#ports.offer(true);
  }

  async #ask(): Promise<PushService | undefined> {
    try {
      return await this.#ports.api.json<PushService>('GET', '/push');
    } catch {
      // Then it is not offered, and known the next time.
      return undefined;
    }
  }

  async #turnOn(): Promise<void> {
    const { storage, wakeable } = this.#ports;
    this.patch({ busy: true, problem: undefined });
    try {
      const permission = await wakeable.ask();
      if (permission === 'granted') {
        await this.#subscribe();
        if (this.#person !== undefined) storage.set(KEY, `on ${this.#person}`);
      } else if (permission === 'default') this.patch({ problem: 'dismissed' });
    } catch {
      this.patch({ problem: 'failed' });
    }
    this.patch({ busy: false });
    this.#draw();
  }

  async #turnOff(): Promise<void> {
    const { api, storage, wakeable } = this.#ports;
    this.patch({ busy: true, problem: undefined });
    try {
      await api.done('DELETE', '/push/subscription');
      storage.set(KEY, DECLINED);
      // What the server does not know wakes nobody, whatever the browser keeps.
      await wakeable.unsubscribe().catch(() => {});
    } catch {
      this.patch({ problem: 'failed' });
    }
    this.patch({ busy: false });
    this.#draw();
  }

  async #subscribe(): Promise<void> {
    const { api, wakeable } = this.#ports;
    const key = this.#service?.key;
    if (key === undefined) throw new Error('the house wakes nobody');
    const browser = this.#ports.browserId();
    const subscription = await wakeable.subscribe(key, browser);
    await api.done('PUT', '/push/subscription', { ...subscription, browser, language: wakeable.language });
  }

  get #wanted(): boolean {
    return this.#person !== undefined && this.#ports.storage.get(KEY) === `on ${this.#person}`;
  }

  #draw(): void {
    const obstacle = this.#obstacle();
    this.patch({ obstacle, on: obstacle === undefined && this.#wanted });
  }

  #obstacle(): PushState['obstacle'] {
    const { support } = this.#ports.wakeable;
    if (!this.#service?.on) return 'off_in_house';
    if (support !== 'yes') return support === 'no' ? 'unsupported' : support;
    return this.#ports.wakeable.permission() === 'denied' ? 'denied' : undefined;
  }
}
