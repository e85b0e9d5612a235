/** One stay's connection as a page, and for administrators the list of everybody's. */

import type { ConnectionRecord } from '../../protocol/generated.ts';
import type { ConnectionsHttp } from '../../session/connections.ts';
import { adminPath, connectionPath } from '../address.ts';
import type { Browser } from '../browser.ts';
import { type SignedOut, Work } from '../work.ts';
import { findings } from './findings.ts';
import type { PersonsStay, Stay, StayScreen, StayState, StaysScreen, StaysState } from './screens.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const TYPING_MS = 250;

export function stayOf(record: ConnectionRecord, path: string): Stay {
  return {
    id: record.id,
    path,
    findings: findings(record.summary, record),
    kind: record.kind,
    ...(record.room === undefined ? {} : { room: record.room }),
    startedAt: record.started_ms,
    endedAt: record.ended_ms,
    over: record.over,
    summary: record.summary,
  };
}

export class StayModel extends Work<StayState> implements StayScreen {
  readonly #http: ConnectionsHttp;
  readonly #id: string;
  readonly #any: boolean;

  /** `any`: for administrators, of whoever it is. */
  constructor(http: ConnectionsHttp, id: string, any: boolean, signedOut: SignedOut) {
    super({ busy: false, step: 0, points: [], unknown: false }, signedOut);
    this.#http = http;
    this.#id = id;
    this.#any = any;
    this.retry();
  }

  retry(): void {
    void this.attempt(() => this.#read()).then((found) => {
      if (!found) {
        if (this.state.problem?.code === 'not_found') this.patch({ unknown: true });
        return;
      }
      const { timeline, person } = found;
      const { record, step, points } = timeline;
      const path = this.#any ? adminPath('connections', record.id) : connectionPath(record.id);
      this.patch({ stay: stayOf(record, path), step, points, ...(person ? { person } : {}) });
    });
  }

  close(): void {}

  async #read() {
    if (!this.#any) return { timeline: await this.#http.read(this.#id), person: undefined };
    const { name, user, timeline } = await this.#http.readAny(this.#id);
    return { timeline, person: { name, guest: user === undefined } };
  }
}

export class StaysModel extends Work<StaysState> implements StaysScreen {
  readonly #http: ConnectionsHttp;
  readonly #browser: Browser;
  readonly #unixMs: () => number;
  #cancelTyping = (): void => {};
  /** Counts questions: a late answer to an earlier one is not shown. */
  #asked = 0;

  constructor(http: ConnectionsHttp, browser: Browser, unixMs: () => number, signedOut: SignedOut) {
    super({ busy: false, text: '', days: 7, troubled: false, hasMore: false }, signedOut);
    this.#http = http;
    this.#browser = browser;
    this.#unixMs = unixMs;
    this.retry();
  }

  setText(text: string): void {
    this.patch({ text });
    this.#cancelTyping();
    this.#cancelTyping = this.#browser.clock.after(TYPING_MS, () => this.retry());
  }

  setDays(days: number): void {
    this.patch({ days });
    this.retry();
  }

  setTroubled(troubled: boolean): void {
    this.patch({ troubled });
    this.retry();
  }

  retry(): void {
    void this.#ask([]);
  }

  more(): void {
    if (this.state.stays) void this.#ask(this.state.stays);
  }

  close(): void {
    this.#asked += 1;
    this.#cancelTyping();
  }

  async #ask(known: readonly PersonsStay[]): Promise<void> {
    const asked = ++this.#asked;
    const { text, days, troubled } = this.state;
    const since = days > 0 ? this.#unixMs() - days * DAY_MS : undefined;
    this.patch({ busy: true, problem: undefined });
    const page = await this.guard(() =>
      this.#http.all({ text: text.trim(), troubled, since, before: known.at(-1)?.startedAt }),
    );
    if (asked !== this.#asked) return;
    this.patch({ busy: false });
    if (!page) return;
    const stays = page.connections.map(
      ({ name, user, record }): PersonsStay => ({
        ...stayOf(record, adminPath('connections', record.id)),
        name,
        guest: user === undefined,
      }),
    );
    this.patch({ stays: [...known, ...stays], hasMore: page.more });
  }
}
