/** What calls need of the browser besides `Browser`: sounds and notifications. Made in `main.ts`, faked in tests. */

/** Our own sounds. What a browser refuses to play is not played. */
export interface Tones {
  /** Until the returned function is called. */
  ring(): () => void;
  ringBack(): () => void;
  /** Once: it came to nothing. */
  over(): void;
}

export type NoticePermission = 'granted' | 'denied' | 'default' | 'absent';

export interface Notice {
  /** Another of the same tag is replaced. */
  readonly tag: string;
  readonly title: string;
  readonly text: string;
  readonly picture?: string | undefined;
  /** What a click opens where no window is. */
  readonly path: string;
  /** The call that is told of, and the room that it is in. */
  readonly call?: { readonly id: string; readonly room: string };
  readonly actions: readonly { readonly action: 'accept' | 'decline'; readonly title: string }[];
}

/** What is done with a notification: a click on it, or on one of its buttons where the browser has them. */
export type NoticeAction = 'open' | 'accept' | 'decline';

export interface Notices {
  permission(): NoticePermission;
  ask(): Promise<NoticePermission>;
  /** Whether this call was accepted by a click that opened this page: its address alone, which anybody can send, is no yes. */
  accepted(call: string): Promise<boolean>;
  /** Until the returned function is called. `opened`: it was clicked, in this page. */
  show(notice: Notice, opened?: () => void): () => void;
  /** Answers of notifications of calls, also of those that the service worker shows by itself. */
  onAct(listener: (call: string, action: NoticeAction) => void): void;
}
