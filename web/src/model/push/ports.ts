/** What waking this browser needs of it. Made in `pwa/push.ts`, faked in tests. */

export interface Subscription {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
}

export interface Wakeable {
  /** `install_first`: only the installed app can be woken here. */
  readonly support: 'yes' | 'no' | 'install_first';
  readonly language: 'de' | 'en';
  permission(): 'granted' | 'denied' | 'default';
  /** Lets the browser ask, if it has not yet. */
  ask(): Promise<'granted' | 'denied' | 'default'>;
  /**
   * The subscription with this key, a new one if there is none. Rejects when the push service does not answer in time;
   * never asks.
   */
  subscribe(key: string, browser: string): Promise<Subscription>;
  unsubscribe(): Promise<void>;
  /** Whether this page rings by itself: the worker asks before it shows something. */
  onAsked(connected: () => boolean): void;
}
