/** Why there are fewer or smaller pictures, said once each in a meeting and for a few seconds. */

import type { Budget } from '../media/budget.ts';
import type { Clock } from '../session/clock.ts';
import type { MeetingNotice } from './screens.ts';

const SHOWN_MS = 10_000;

export class Notices {
  readonly #clock: Clock;
  readonly #show: (notice: MeetingNotice | undefined) => void;
  readonly #said = new Set<MeetingNotice>();
  #cancel = (): void => {};

  constructor(clock: Clock, show: (notice: MeetingNotice | undefined) => void) {
    this.#clock = clock;
    this.#show = show;
  }

  say(notice: MeetingNotice): void {
    if (this.#said.has(notice)) return;
    this.#said.add(notice);
    this.#show(notice);
    this.#cancel();
    this.#cancel = this.#clock.after(SHOWN_MS, () => this.#show(undefined));
  }

  close(): void {
    this.#cancel();
  }
}

/** What a device that bears only this much gave up last. */
export function noticeOf({ fps, scale, most }: Budget): MeetingNotice {
  if (most < Number.POSITIVE_INFINITY) return 'busy_number';
  if (scale < 1) return 'busy_size';
  return fps < 30 ? 'busy_frames' : 'busy_layers';
}
