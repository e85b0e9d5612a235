/** What is shown of calls that come while the app is closed: see `ui/push`. */

import type { Readable } from '../store.ts';

export interface PushState {
  readonly on: boolean;
  readonly busy: boolean;
  /** Why it cannot be turned on here. Absent: it can. */
  readonly obstacle?: 'off_in_house' | 'unsupported' | 'install_first' | 'denied';
  /** The last try. `dismissed`: the browser's question was closed without an answer. */
  readonly problem?: 'failed' | 'dismissed';
}

export interface PushScreen extends Readable<PushState> {
  /** Turning it on lets the browser ask: call it in the handler of the click. */
  setOn(on: boolean): void;
  /** Offered unasked, and not wanted. */
  decline(): void;
  /** Looks again: permissions change in the browser's own pages. */
  look(): void;
}
