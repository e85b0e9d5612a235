/**
 * What somebody did and missed: the list as the server has it, live, page by page, and what is deleted of it. Says when
 * the missed calls were looked at.
 */

import type { HistoryEntry, HomeChange } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import type { Clock } from '../../session/clock.ts';
import { ConnectionsHttp } from '../../session/connections.ts';
import { DirectoryHttp } from '../../session/directory.ts';
import type { Http } from '../../session/http.ts';
import type { Browser } from '../browser.ts';
import { staysOfLines } from '../connection/lines.ts';
import type { StayLine } from '../connection/screens.ts';
import { readRoomText, roomPath } from '../room_name.ts';
import { Work } from '../work.ts';
import { linkedOf } from './contact.ts';
import type { CallerScreen, HistoryLine, HistoryScreen, HistoryState } from './screens.ts';
import { Sight } from './sight.ts';

export interface HistoryPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly client: Client;
  readonly caller: CallerScreen;
}

/** How long the house may take to store a record. */
const JUST_STORED_MS = 1_000;

export class HistoryModel extends Work<HistoryState> implements HistoryScreen {
  readonly sight: Sight;
  readonly caller: CallerScreen;
  readonly #client: Client;
  readonly #http: DirectoryHttp;
  readonly #connections: ConnectionsHttp;
  readonly #unlisten: () => void;
  #entries: readonly HistoryEntry[] = [];
  readonly #clock: Clock;
  #cancelLook = (): void => {};
  /** How the connections were, by line. */
  #stays: ReadonlyMap<string, StayLine> = new Map();
  /** What was told while a page is on its way, which may not know of it. */
  #meanwhile: HomeChange[] = [];
  /** Counts readings from the start: a late older page does not belong to the new list. */
  #reading = 0;
  #open = false;
  /** It is being told that they were. */
  #seeing = false;
  /** Before it was known whether anything is missed. */
  #hasLooked = false;

  constructor({ browser, http, client, caller }: HistoryPorts) {
    super({ busy: false, more: false, loading: false });
    this.#client = client;
    this.#clock = browser.clock;
    this.#http = new DirectoryHttp(http.api);
    this.#connections = new ConnectionsHttp(http.api);
    this.caller = caller;
    this.sight = new Sight(client.people, browser.clock);
    this.#unlisten = client.listen({
      changed: (change) => this.#changed(change),
      anew: () => {
        if (this.#open) void this.#read();
        if (this.#hasLooked) this.looked();
      },
    });
  }

  open(): void {
    this.#open = true;
    // Without a connection nothing is live: what comes with it makes the list be read.
    if (this.#client.home) void this.#read();
  }

  leave(): void {
    this.#open = false;
    this.#hasLooked = false;
    this.sight.show([]);
  }

  looked(): void {
    const { home, people } = this.#client;
    this.#hasLooked = home === undefined;
    if (!home || home.missed === 0 || this.#seeing) return;
    this.#seeing = true;
    // Not heard, or refused: the badge stays, and the next look says it again.
    people
      .seeMissed()
      .catch(() => {})
      .finally(() => {
        this.#seeing = false;
      });
  }

  retry(): void {
    void this.#read();
  }

  loadMore(): void {
    const oldest = this.#entries.at(-1);
    if (!oldest || !this.state.more || this.state.loading) return;
    void this.#load(oldest.started_at);
  }

  remove(id: string): void {
    void this.guard(() => this.#http.removeHistory(id)).then(
      (done) => done && this.#changed({ type: 'history_removed', entries: [id] }),
    );
  }

  async clear(): Promise<boolean> {
    const done = await this.attempt(() => this.#http.clearHistory());
    if (done) this.#changed({ type: 'history_cleared' });
    return done !== undefined;
  }

  close(): void {
    this.#reading += 1;
    this.#cancelLook();
    this.#unlisten();
    this.sight.close();
  }

  #read(): Promise<void> {
    this.#reading += 1;
    this.patch({ problem: undefined });
    return this.#load();
  }

  /** Without `before`, the newest in place of all that is there. */
  async #load(before?: number): Promise<void> {
    const reading = this.#reading;
    this.#meanwhile = [];
    this.patch({ loading: true });
    const page = await this.guard(() => this.#http.history(before));
    if (reading !== this.#reading) return;
    if (page) {
      const kept = before === undefined ? [] : this.#entries;
      this.#entries = [...kept, ...page.entries.filter(({ id }) => !kept.some((one) => one.id === id))];
      for (const change of this.#meanwhile) this.#entries = applied(this.#entries, change, page.more);
      this.#show(page.more);
    }
    this.patch({ loading: false });
  }

  #changed(change: HomeChange): void {
    const changes = ['history_changed', 'history_removed', 'history_cleared'];
    if (!changes.includes(change.type)) return;
    if (this.state.loading) this.#meanwhile.push(change);
    this.#entries = applied(this.#entries, change, this.state.more);
    // Nothing is shown before the first page: it would look as if that were all.
    if (this.state.lines) this.#show(this.state.more && change.type !== 'history_cleared');
    if (change.type !== 'history_changed') return;
    // What was measured is stored at the same time as the line.
    this.#cancelLook();
    this.#cancelLook = this.#clock.after(JUST_STORED_MS, () => this.#askForStays((this.state.lines ?? []).slice(0, 1)));
  }

  #show(more: boolean): void {
    const lines = this.#entries.map(lineOf);
    this.#draw(lines, more);
    this.#askForStays(lines);
  }

  #draw(lines: readonly HistoryLine[], more: boolean): void {
    const withStays = lines.map((line) => {
      const connection = this.#stays.get(line.id);
      return connection ? { ...line, connection } : line;
    });
    this.patch({ lines: withStays, more });
  }

  /** The list does not wait for it, and does without it where it fails. */
  #askForStays(lines: readonly HistoryLine[]): void {
    const unknown = lines.filter(({ id }) => !this.#stays.has(id));
    staysOfLines(this.#connections, unknown).then(
      (stays) => {
        if (stays.size === 0) return;
        this.#stays = new Map([...this.#stays, ...stays]);
        this.#draw(this.#entries.map(lineOf), this.state.more);
      },
      () => {},
    );
  }
}

/** The newest first. What is older than a list that goes on belongs to a later page. */
function applied(entries: readonly HistoryEntry[], change: HomeChange, more: boolean): readonly HistoryEntry[] {
  switch (change.type) {
    case 'history_changed': {
      const { entry } = change;
      const known = entries.some(({ id }) => id === entry.id);
      const oldest = entries.at(-1);
      if (!known && more && oldest && entry.started_at < oldest.started_at) return entries;
      return [...entries.filter(({ id }) => id !== entry.id), entry].sort((a, b) => b.started_at - a.started_at);
    }
    case 'history_removed':
      return entries.filter(({ id }) => !change.entries.includes(id));
    case 'history_cleared':
      return [];
    default:
      return entries;
  }
}

function lineOf({ id, kind, person, room, video, end, started_at, duration_ms, seen }: HistoryEntry): HistoryLine {
  const written = room && readRoomText(room.address);
  return {
    id,
    kind,
    video,
    startedAt: started_at,
    fresh: kind === 'missed' && !seen,
    ...(person ? { person: linkedOf(person) } : {}),
    ...(room && written
      ? { room: { name: room.name, path: roomPath(written.name, written.open ? 'guests' : 'accounts') } }
      : {}),
    ...(end === undefined ? {} : { end }),
    ...(duration_ms === undefined ? {} : { durationMs: duration_ms }),
  };
}
