/**
 * Notifications that the page itself shows while it is open: through the service worker where there is one, since only
 * those have buttons, and since phones know no others. What was clicked there comes back as a message.
 */

type NoticePermission = NotificationPermission | 'absent';
type NoticeAction = 'open' | 'accept' | 'decline';

/** As the models say it. */
interface Notice {
  readonly tag: string;
  readonly title: string;
  readonly text: string;
  readonly picture?: string | undefined;
  readonly call: string;
  readonly room: string;
  readonly actions: readonly { readonly action: string; readonly title: string }[];
}

/** What the service worker tells the page when one of its notifications was clicked. */
export interface NoticeClicked {
  readonly type: 'notice_clicked';
  readonly call: string;
  readonly action: NoticeAction;
}

export class BrowserNotices {
  readonly #acts = new Map<string, (action: NoticeAction) => void>();

  constructor() {
    if (!('serviceWorker' in navigator)) return;
    navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (isClicked(data)) this.#acts.get(data.call)?.(data.action);
    });
  }

  permission(): NoticePermission {
    return 'Notification' in globalThis ? Notification.permission : 'absent';
  }

  async ask(): Promise<NoticePermission> {
    return 'Notification' in globalThis ? Notification.requestPermission() : 'absent';
  }

  show(notice: Notice, act: (action: NoticeAction) => void): () => void {
    if (this.permission() !== 'granted') return () => {};
    this.#acts.set(notice.call, act);
    const shown = this.#show(notice, act).catch(() => () => {});
    return () => {
      this.#acts.delete(notice.call);
      void shown.then((close) => close());
    };
  }

  /** Resolves with how it is taken back. */
  async #show(notice: Notice, act: (action: NoticeAction) => void): Promise<() => void> {
    const { actions, call, picture, room, tag, text, title } = notice;
    const options = { tag, body: text, icon: picture ?? '/icons/door-192.png', requireInteraction: true, silent: true };
    const registration = await navigator.serviceWorker?.getRegistration();
    if (registration?.active) {
      const data = { kind: 'call', call, room };
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
      act('open');
    };
    return () => plain.close();
  }
}

function isClicked(data: unknown): data is NoticeClicked {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'notice_clicked';
}
