/** Planned meetings and invitations by mail over HTTP. Every failure is a `Refusal`. */

import type {
  ChangeMeeting,
  InviteByMail,
  Invited,
  MeetingId,
  PlanMeeting,
  PlannedMeeting,
} from '../protocol/generated.ts';
import type { Api } from './api.ts';

export class MeetingsHttp {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  plan(meeting: PlanMeeting): Promise<PlannedMeeting> {
    return this.#api.json('POST', '/meetings', meeting);
  }

  read(id: MeetingId): Promise<PlannedMeeting> {
    return this.#api.json('GET', pathOf(id));
  }

  change(id: MeetingId, change: ChangeMeeting): Promise<PlannedMeeting> {
    return this.#api.json('PATCH', pathOf(id), change);
  }

  cancel(id: MeetingId): Promise<PlannedMeeting> {
    return this.#api.json('DELETE', pathOf(id), {});
  }

  invite(invitation: InviteByMail): Promise<Invited> {
    return this.#api.json('POST', '/invitations', invitation);
  }
}

function pathOf(id: MeetingId): string {
  return `/meetings/${encodeURIComponent(id)}`;
}

/** Where the file for calendars is, ready for `href`. */
export function calendarPath(id: MeetingId): string {
  return `/api/v1${pathOf(id)}/calendar.ics`;
}
