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

export interface Browser {
  readonly clock: Clock;
  readonly local: Storage;
  readonly session: Storage;
  /** This page is a reload of the one before. */
  readonly reloaded: boolean;
  readonly canShareNatively: boolean;
  /** Device pixels per CSS pixel. */
  readonly pixelRatio: number;
  readonly hidden: boolean;
  address(): Address;
  push(path: string): void;
  replace(path: string): void;
  /** To a page that is not the app's; this one ends. */
  leave(path: string): void;
  random(): number;
  randomBytes(length: number): Uint8Array;
  copy(text: string): Promise<void>;
  shareNatively(data: { title: string; url: string }): Promise<void>;
  /** Takes a lock that no other page holds, until this page is gone. `wait`: for as long as the page before may need. */
  lock(name: string, wait: boolean): Promise<boolean>;
  onBack(callback: () => void): void;
  onVisibility(callback: () => void): void;
  /** The network is back, or another one. */
  onNetwork(callback: () => void): void;
}
