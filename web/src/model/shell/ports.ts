/** What browsers give to an app that wants to stay: its worker, its place on the home screen, a screen that stays on. */

export interface ShellPorts {
  /** Which build this page is of, `0.1.0-5f2c9a41`; absent in development. */
  readonly build: string | undefined;
  /** Runs from the home screen. */
  readonly installed: boolean;
  /** Installs by hand only, and where the words for it differ. */
  readonly installsByHand: 'ios' | 'firefox' | undefined;
  /** A browser inside another app. */
  readonly inside: 'ios' | 'android' | undefined;
  /** This page anew, as if by the person. */
  reload(): void;
  /** Has the worker fetch what the server holds now. Settles when it has, when it cannot, or after a while. */
  fetchNewest(): Promise<void>;
  /** The browser would install the app when asked; `install` shows its own question. */
  onInstallable(callback: (install: () => Promise<void>) => void): void;
  onInstalled(callback: () => void): void;
  /** A part of the app that is loaded when needed could not be loaded. */
  onPartMissing(callback: () => void): void;
  /** Keeps the screen on where the browser does, until what it gives back is called or the page is hidden. Never rejects. */
  keepAwake(): Promise<() => void>;
  /** On the app's icon; 0 takes it off. */
  setBadge(count: number): void;
}
