/**
 * What a tab remembers over a reload, and a browser over visits: the meeting one is in, a guest's grant and name, the
 * chosen devices. Nothing secret but the grant, which opens one room and lives in the tab only.
 */

import type { Browser } from './browser.ts';
import { roomKey } from './room_name.ts';

/** The meeting that this tab is in: a reload comes back to it with the same switches. */
export interface InMeeting {
  readonly room: string;
  readonly microphone: boolean;
  readonly camera: boolean;
}

/** The call that this tab is in. */
export interface InCall {
  readonly room: string;
  readonly person: { readonly id: string; readonly name: string; readonly picture?: string };
  readonly video: boolean;
}

export interface Grant {
  readonly room: string;
  readonly grant: string;
  readonly name: string;
  /** The invite that it came by. */
  readonly invite?: string;
}

export interface ChosenDevices {
  readonly microphone?: string;
  readonly camera?: string;
  readonly speaker?: string;
}

export class Remembered {
  readonly #browser: Browser;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  meeting(room: string): InMeeting | undefined {
    const meeting = read<InMeeting>(this.#browser.session.get('stube.meeting'));
    return meeting && roomKey(meeting.room) === roomKey(room) ? meeting : undefined;
  }

  setMeeting(meeting: InMeeting | undefined): void {
    write(this.#browser.session, 'stube.meeting', meeting);
  }

  call(room: string): InCall | undefined {
    const call = read<InCall>(this.#browser.session.get('stube.call'));
    return call?.room === room ? call : undefined;
  }

  setCall(call: InCall | undefined): void {
    write(this.#browser.session, 'stube.call', call);
  }

  grant(room: string): Grant | undefined {
    const grant = read<Grant>(this.#browser.session.get('stube.grant'));
    return grant && roomKey(grant.room) === roomKey(room) ? grant : undefined;
  }

  setGrant(grant: Grant | undefined): void {
    write(this.#browser.session, 'stube.grant', grant);
  }

  get guestName(): string {
    return this.#browser.local.get('stube.guest_name') ?? '';
  }

  set guestName(name: string) {
    this.#browser.local.set('stube.guest_name', name);
  }

  get devices(): ChosenDevices {
    return read<ChosenDevices>(this.#browser.local.get('stube.devices')) ?? {};
  }

  set devices(devices: ChosenDevices) {
    write(this.#browser.local, 'stube.devices', devices);
  }

  /** Whether the microphone sends music. */
  get music(): boolean {
    return this.#browser.local.get('stube.music') === 'on';
  }

  set music(on: boolean) {
    this.#browser.local.set('stube.music', on ? 'on' : 'off');
  }

  /** Whether the camera was on, or wanted, the last time. */
  get cameraOn(): boolean {
    return this.#browser.local.get('stube.camera') !== 'off';
  }

  set cameraOn(on: boolean) {
    this.#browser.local.set('stube.camera', on ? 'on' : 'off');
  }

  /** Signed out by hand in this tab: nothing signs in again unasked. */
  get signedOut(): boolean {
    return this.#browser.session.get('stube.signed_out') !== undefined;
  }

  set signedOut(on: boolean) {
    if (on) this.#browser.session.set('stube.signed_out', '1');
    else this.#browser.session.remove('stube.signed_out');
  }

  /** The provider was asked in this tab whether it knows who this is. */
  get askedSilently(): boolean {
    return this.#browser.session.get('stube.asked_silently') !== undefined;
  }

  set askedSilently(on: boolean) {
    if (on) this.#browser.session.set('stube.asked_silently', '1');
    else this.#browser.session.remove('stube.asked_silently');
  }

  /** The fragment of the address that a sign-in comes back to: no redirect carries it. */
  takeFragment(path: string): string {
    const kept = read<{ path: string; hash: string }>(this.#browser.session.get('stube.fragment'));
    this.#browser.session.remove('stube.fragment');
    return kept?.path === path ? kept.hash : '';
  }

  setFragment(path: string, hash: string): void {
    write(this.#browser.session, 'stube.fragment', hash ? { path, hash } : undefined);
  }
}

function read<T>(text: string | undefined): T | undefined {
  if (!text) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function write(storage: Browser['session'], key: string, value: object | undefined): void {
  if (value) storage.set(key, JSON.stringify(value));
  else storage.remove(key);
}
