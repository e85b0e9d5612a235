/** What is said of the app itself, over whichever page stands: see `ui/shell`. */

import type { CopyableScreen } from '../copyable.ts';
import type { Readable } from '../store.ts';

/** What may be asked without having been asked for, the most urgent first; one at a time. */
export type Prompt = 'update' | 'install' | 'push';

export interface ShellState {
  readonly prompt?: Prompt;
  /** The browser cannot be asked to install: how people do it themselves. */
  readonly byHand?: 'ios' | 'firefox';
  /** This page is loaded anew in a moment, by itself. */
  readonly updating?: true;
}

export interface ShellScreen extends Readable<ShellState> {
  /** A browser inside another app, which may have no camera. */
  readonly inside: 'ios' | 'android' | undefined;
  /** This page anew, in its newest version. */
  update(): void;
  install(): void;
  /** An offer was declined: not to install, or not to be woken. It is not made again. */
  decline(prompt: 'install' | 'push'): void;
  /** Android only: leads to this page in the browser. */
  browserAddress(): string;
  /** Apple only: to be opened in the browser by hand. */
  copyable(): CopyableScreen;
}
