/** Why pictures are fewer or smaller, or all is worse than it should be: said once each in a meeting, for a few seconds. */

import type { Budget } from '../media/budget.ts';
import type { Clock } from '../session/clock.ts';
import type { Finding } from './connection/findings.ts';
import type { MeetingNotice } from './screens.ts';

const SHOWN_MS = 10_000;
/** A bad moment passes unsaid. */
const BAD_MS = 10_000;

export class Notices {
  readonly #clock: Clock;
  readonly #show: (notice: MeetingNotice | undefined) => void;
  readonly #said = new Set<MeetingNotice>();
  #cancel = (): void => {};
  #badSince: number | undefined;

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

  /** How one's own connection is at the moment. */
  judge(findings: readonly Finding[]): void {
    const now = this.#clock.now();
    const has = (one: Finding['kind']): boolean => findings.some(({ kind }) => kind === one);
    // A busy device loses and delays packets too, and says so already.
    const bad = (has('loss') || has('slow')) && !has('busy');
    this.#badSince = bad ? (this.#badSince ?? now) : undefined;
    if (this.#badSince !== undefined && now - this.#badSince >= BAD_MS) this.say('bad_line');
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
