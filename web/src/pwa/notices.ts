/**
 * Notifications that the page itself shows while it is open: through the service worker where there is one, since only
 * those have buttons, and since phones know no others. What was clicked there comes back as a message.
 */

import { takeAccepted } from './accepted.ts';
import type { CallNotice, NoticeAction, NoticeClicked, PageNotice } from './notice.ts';

/** As the models say it. */
interface Notice {
  readonly tag: string;
  readonly title: string;
  readonly text: string;
  readonly picture?: string | undefined;
  readonly path: string;
  readonly call?: { readonly id: string; readonly room: string };
  readonly actions: readonly { readonly action: string; readonly title: string }[];
}

export class BrowserNotices {
  #act: (call: string, action: NoticeAction) => void = () => {};
  /** By tag. */
  readonly #opened = new Map<string, () => void>();

  constructor() {
    if (!('serviceWorker' in navigator)) return;
    navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (isClicked(data)) this.#clicked(data);
    });
  }

  permission(): NotificationPermission | 'absent' {
    return 'Notification' in globalThis ? Notification.permission : 'absent';
  }

  async ask(): Promise<NotificationPermission | 'absent'> {
    return 'Notification' in globalThis ? Notification.requestPermission() : 'absent';
  }

  onAct(listener: (call: string, action: NoticeAction) => void): void {
    this.#act = listener;
  }

  /** Whether this call was accepted by a click that opened this page; asked once. */
  async accepted(call: string): Promise<boolean> {
    return 'caches' in globalThis && takeAccepted(caches, call).catch(() => false);
  }

  show(notice: Notice, opened: () => void = () => {}): () => void {
    if (this.permission() !== 'granted') return () => {};
    this.#opened.set(notice.tag, opened);
    const shown = this.#show(notice).catch(() => () => {});
    return () => {
      this.#opened.delete(notice.tag);
      void shown.then((close) => close());
    };
  }

  #clicked({ action, call, tag }: Omit<NoticeClicked, 'type'>): void {
    if (call !== undefined) this.#act(call, action);
    this.#opened.get(tag)?.();
  }

  /** Resolves with how it is taken back. */
  async #show({ actions, call, path, picture, tag, text, title }: Notice): Promise<() => void> {
    const options = { tag, body: text, icon: picture ?? '/icons/door-192.png', requireInteraction: true, silent: true };
    const registration = await navigator.serviceWorker?.getRegistration();
    if (registration?.active) {
      const data: CallNotice | PageNotice = call
        ? { kind: 'call', call: call.id, room: call.room }
        : { kind: 'page', path };
      await registration.showNotification(title, { ...options, data, actions: [...actions] } as NotificationOptions);
      return () => {
        void registration.getNotifications({ tag }).then((all) => {
          for (const one of all) one.close();
        });
      };
    }
    const plain = new Notification(title, options);
    plain.onclick = () => {
      focus();
      plain.close();
      this.#clicked({ tag, action: 'open', ...(call ? { call: call.id } : {}) });
    };
    return () => plain.close();
  }
}

function isClicked(data: unknown): data is NoticeClicked {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'notice_clicked';
}
