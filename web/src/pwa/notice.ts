/** What our notifications carry, and what the service worker tells a page when one was clicked. Types only. */

/** The `data` of a notification, whoever showed it. Its tag is `call-<call>`, its buttons are `accept` and `decline`. */
export interface CallNotice {
  readonly kind: 'call';
  readonly call: string;
  readonly room: string;
}

/** Of anything else: what a click opens. */
export interface PageNotice {
  readonly kind: 'page';
  readonly path: string;
}

/** A missed call, shown by the worker: a click leads to who called. */
export interface MissedNotice {
  readonly kind: 'missed';
  readonly person: string;
}

/** A call was answered elsewhere: a click leads nowhere. */
export interface OverNotice {
  readonly kind: 'over';
}

/** `open`: the notification itself was clicked. */
export type NoticeAction = 'open' | 'accept' | 'decline';

export interface NoticeClicked {
  readonly type: 'notice_clicked';
  readonly tag: string;
  /** Absent for what is no call's. */
  readonly call?: string;
  readonly action: NoticeAction;
}
