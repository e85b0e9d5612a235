/**
 * Everything ambient that the models need, as one port: made once in `main.ts`, replaced by fakes in tests.
 */

import type { Clock } from '../session/clock.ts';

/** Storage that never throws: what a browser refuses to keep is not kept. */
export interface Storage {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  remove(key: string): void;
}

export interface Address {
  readonly origin: string;
  readonly pathname: string;
  readonly search: string;
  /** With its `#`, or empty. */
  readonly hash: string;
}

/** Passkeys of this device. What the browser or the person refuses rejects. */
export interface Passkeys {
  /** Whether this browser can at all. */
  readonly supported: boolean;
  /** Whether passkeys can be offered among what is filled into a form. */
  autofills(): Promise<boolean>;
  /** Options and answers as `parseCreationOptionsFromJSON` and `toJSON` have them. */
  create(options: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** `quiet`: offered in the form's field, without a window of its own. */
  get(options: Record<string, unknown>, how: { quiet: boolean; signal: AbortSignal }): Promise<Record<string, unknown>>;
}

export interface Browser {
  readonly clock: Clock;
  readonly passkeys: Passkeys;
  readonly local: Storage;
  readonly session: Storage;
  /** This page is a reload of the one before. */
  readonly reloaded: boolean;
  readonly canShareNatively: boolean;
  /** Device pixels per CSS pixel. */
  readonly pixelRatio: number;
  readonly hidden: boolean;
  /** A picture of this page floats over other windows: the page is looked at, hidden or not. */
  readonly floating: boolean;
  address(): Address;
  push(path: string): void;
  replace(path: string): void;
  /** To a page that is not the app's; this one ends. */
  leave(path: string): void;
  random(): number;
  randomBytes(length: number): Uint8Array;
  copy(text: string): Promise<void>;
  /** Saves a text as a file on this device. */
  saveText(name: string, text: string): void;
  shareNatively(data: { title: string; url: string }): Promise<void>;
  /** Takes a lock that no other page holds, until this page is gone. `wait`: for as long as the page before may need. */
  lock(name: string, wait: boolean): Promise<boolean>;
  /** One of all pages leads. What is returned makes this one lead at once; otherwise it waits for its turn. */
  lead(name: string, changed: (leads: boolean) => void): () => void;
  /** Somebody touched this page: pointer or keyboard. */
  onUsed(callback: () => void): void;
  onBack(callback: () => void): void;
  /** `hidden` or `floating` changed. */
  onVisibility(callback: () => void): void;
  /** The network is back, or another one. */
  onNetwork(callback: () => void): void;
}
