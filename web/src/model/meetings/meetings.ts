/**
 * Planned meetings of the signed-in person: what comes next, a reminder before it begins, and the dialogs that plan,
 * change and cancel. Lives as long as the app; the dialog's own model is loaded when it is opened.
 */

import type { Home, Meeting } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import type { Http } from '../../session/http.ts';
import { MeetingsHttp } from '../../session/meetings.ts';
import type { Browser } from '../browser.ts';
import type { Notices } from '../calls/ports.ts';
import type { CallsState } from '../calls/screens.ts';
import { problemFrom } from '../problem.ts';
import { readRoomText, roomPath } from '../room_name.ts';
import { type Readable, Store } from '../store.ts';
import type { MeetingsScreen, MeetingsState, MeetingView } from './screens.ts';

const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = 15_000;
/** How long before it begins one may go in by one click. */
const NEAR_MS = 10 * MINUTE_MS;
const REMIND_MS = 5 * MINUTE_MS;
/** Reminders that were taken note of. */
const NOTED = 'stube.reminders_noted';
const REMEMBERED = 20;

export interface MeetingsPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly notices: Notices;
  /** One tab of all leads. */
  readonly calls: Readable<Pick<CallsState, 'leads'>>;
  navigate(path: string): void;
  /** What stands in a notification. */
  words(meeting: MeetingView): { readonly title: string; readonly text: string };
  unixMs(): number;
}

export class MeetingsModel extends Store<MeetingsState> implements MeetingsScreen {
  readonly #ports: MeetingsPorts;
  #client: Client | undefined;
  #unlisten = (): void => {};
  #cancelLook = (): void => {};
  #takeBackNotice = (): void => {};
  /** Counts openings of the dialog: one that is loaded when another was wanted is not shown. */
  #opening = 0;

  constructor(ports: MeetingsPorts) {
    super({ now: ports.unixMs(), upcoming: [] });
    this.#ports = ports;
  }

  /** From now on those of whoever is on this connection; without one, of nobody. */
  follow(client: Client | undefined): void {
    this.#unlisten();
    this.#client = client;
    this.#unlisten = client?.listen({ home: () => this.#draw() }) ?? (() => {});
    if (!client) this.closePlanning();
    this.#draw();
  }

  plan(): void {
    this.#open(undefined);
  }

  edit(id: string): void {
    this.#open(id);
  }

  closePlanning(): void {
    this.#opening += 1;
    this.patch({ planning: undefined, problem: undefined });
  }

  askToCancel(id: string): void {
    const meeting = this.state.upcoming.find((one) => one.id === id);
    if (meeting) this.patch({ cancelling: { meeting, busy: false } });
  }

  keep(): void {
    this.patch({ cancelling: undefined });
  }

  cancel(): void {
    const { cancelling } = this.state;
    if (!cancelling || cancelling.busy) return;
    const { meeting } = cancelling;
    this.patch({ cancelling: { meeting, busy: true } });
    new MeetingsHttp(this.#ports.http.api).cancel(meeting.id).then(
      () => this.keep(),
      (error) => this.patch({ cancelling: { meeting, busy: false, problem: problemFrom(error) } }),
    );
  }

  dismissReminder(): void {
    const { reminder } = this.state;
    if (reminder) this.#noted(reminder);
  }

  join(meeting: MeetingView): void {
    this.#noted(meeting);
    this.#ports.navigate(meeting.path);
  }

  /** In all tabs, and after a reload too. */
  #noted(meeting: MeetingView): void {
    const { local } = this.#ports.browser;
    const noted = [...this.#reminded(), keyOf(meeting)].slice(-REMEMBERED);
    local.set(NOTED, JSON.stringify(noted));
    this.#draw();
  }

  #reminded(): readonly string[] {
    try {
      const kept: unknown = JSON.parse(this.#ports.browser.local.get(NOTED) ?? '[]');
      return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : [];
    } catch {
      return [];
    }
  }

  #open(id: string | undefined): void {
    const client = this.#client;
    if (!client) return;
    const opening = ++this.#opening;
    const { browser, http, unixMs } = this.#ports;
    import('./planning.ts')
      .then(({ openPlanning }) => openPlanning({ browser, http, unixMs, rooms: client.home?.rooms ?? [] }, id))
      .then(
        (planning) => opening === this.#opening && this.patch({ planning, problem: undefined }),
        (error) => opening === this.#opening && this.patch({ problem: problemFrom(error) }),
      );
  }

  #draw(): void {
    this.#cancelLook();
    const now = this.#ports.unixMs();
    const upcoming = meetingsOf(this.#client?.home, now);
    const before = this.state.reminder;
    const noted = this.#reminded();
    const due = upcoming.find((one) => one.startsAt - now <= REMIND_MS && !noted.includes(keyOf(one)));
    // Who opens the app in the middle of a meeting sees it on the home page and needs no reminder.
    const reminder = due && due.startsAt + MINUTE_MS > now ? due : undefined;
    this.patch({ now, upcoming, reminder });
    if (before?.id !== reminder?.id) this.#notify(reminder);
    if (this.#client) this.#cancelLook = this.#ports.browser.clock.after(LOOK_EVERY_MS, () => this.#draw());
  }

  /** Of all tabs, the one that leads tells somebody who looks elsewhere. */
  #notify(meeting: MeetingView | undefined): void {
    this.#takeBackNotice();
    this.#takeBackNotice = () => {};
    const { browser, calls, notices, words } = this.#ports;
    if (!meeting || !calls.state.leads || !browser.hidden || notices.permission() !== 'granted') return;
    const notice = { tag: `meeting-${meeting.id}`, ...words(meeting), path: meeting.path, actions: [] };
    this.#takeBackNotice = notices.show(notice, () => this.join(meeting));
  }
}

/** A meeting that is moved is another. */
function keyOf({ id, startsAt }: MeetingView): string {
  return `${id} ${startsAt}`;
}

function meetingsOf(home: Home | undefined, now: number): readonly MeetingView[] {
  const there = home?.meetings.filter(({ ends_at }) => ends_at > now) ?? [];
  return there.map((meeting) => meetingView(meeting, now)).sort((a, b) => a.startsAt - b.startsAt);
}

function meetingView({ id, title, room, starts_at, ends_at, time_zone, by, own }: Meeting, now: number): MeetingView {
  const { name, open } = readRoomText(room);
  return {
    id,
    title,
    path: roomPath(name, open ? 'guests' : 'accounts'),
    startsAt: starts_at,
    endsAt: ends_at,
    zone: time_zone,
    by,
    own,
    near: starts_at - now <= NEAR_MS,
  };
}
