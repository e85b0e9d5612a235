/** The browser's side of the app's shell, as the test says. For tests only. */

import type { ShellPorts } from '../shell/ports.ts';

export class FakeShell implements ShellPorts {
  build: string | undefined = '0.1.0-1';
  installed = false;
  installsByHand: 'ios' | 'firefox' | undefined;
  inside: 'ios' | 'android' | undefined;
  badge = 0;
  reloads = 0;
  /** Whether the screen is kept on. */
  awake = false;
  fetches = 0;
  installs = 0;
  installable: () => void = () => {};
  installedNow: () => void = () => {};
  partMissing: () => void = () => {};

  reload = (): void => {
    this.reloads += 1;
  };

  fetchNewest = async (): Promise<void> => {
    this.fetches += 1;
  };

  onInstallable = (callback: (install: () => Promise<void>) => void): void => {
    const install = async (): Promise<void> => {
      this.installs += 1;
    };
    this.installable = () => callback(install);
  };

  onInstalled = (callback: () => void): void => {
    this.installedNow = callback;
  };

  onPartMissing = (callback: () => void): void => {
    this.partMissing = callback;
  };

  keepAwake = async (): Promise<() => void> => {
    this.awake = true;
    return () => {
      this.awake = false;
    };
  };

  setBadge = (count: number): void => {
    this.badge = count;
  };
}
