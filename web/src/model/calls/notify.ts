/** Whether this browser shows notifications for calls. It asks only when somebody turns the switch on. */

import type { Storage } from '../browser.ts';
import { Store } from '../store.ts';
import type { Notices } from './ports.ts';
import type { NotifyScreen, NotifyState } from './screens.ts';

const KEY = 'stube.call_notifications';

export class NotifyModel extends Store<NotifyState> implements NotifyScreen {
  readonly #notices: Notices;
  readonly #storage: Storage;

  constructor(notices: Notices, storage: Storage) {
    super(look(notices, storage));
    this.#notices = notices;
    this.#storage = storage;
  }

  setOn(on: boolean): void {
    if (!on) {
      this.#storage.remove(KEY);
      this.set(look(this.#notices, this.#storage));
      return;
    }
    this.#notices.ask().then(
      (permission) => {
        if (permission === 'granted') this.#storage.set(KEY, 'on');
        this.set(look(this.#notices, this.#storage));
      },
      () => this.set(look(this.#notices, this.#storage)),
    );
  }

  /** The permission can be taken away at any time, and another tab may have turned the switch. */
  refresh(): boolean {
    this.set(look(this.#notices, this.#storage));
    return this.state.on;
  }
}

function look(notices: Notices, storage: Storage): NotifyState {
  const permission = notices.permission();
  return {
    on: permission === 'granted' && storage.get(KEY) === 'on',
    permission: permission === 'absent' ? 'absent' : permission === 'denied' ? 'blocked' : 'open',
  };
}
