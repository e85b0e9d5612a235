/** Where somebody without an account comes in, in an open house: a name is enough to enter or make a room. */

import type { Browser } from './browser.ts';
import { hardToGuess, isGuessable, readRoomText, roomPath } from './room_name.ts';
import type { LobbyScreen, LobbyState } from './screens.ts';
import { Store } from './store.ts';

export interface LobbyPorts {
  readonly browser: Browser;
  navigate(path: string): void;
}

export class LobbyModel extends Store<LobbyState> implements LobbyScreen {
  readonly #ports: LobbyPorts;
  #offeredFor: { name: string; offer: string } | undefined;

  constructor(ports: LobbyPorts) {
    super({ text: '', canEnter: false });
    this.#ports = ports;
  }

  setRoomText(text: string): void {
    const { name, problem } = readRoomText(text);
    const usable = name !== '' && !problem;
    this.set({
      text,
      canEnter: usable,
      ...(problem ? { nameProblem: problem } : {}),
      ...(usable && isGuessable(name) ? { offeredName: this.#offer(name) } : {}),
    });
  }

  useOfferedName(): void {
    const { offeredName } = this.state;
    if (offeredName) this.setRoomText(offeredName);
  }

  enterRoom(): void {
    // Every room that is made here is open.
    if (this.state.canEnter) this.#ports.navigate(roomPath(readRoomText(this.state.text).name, 'guests'));
  }

  /** The same offer for as long as the name is the same: it must not change under somebody's finger. */
  #offer(name: string): string {
    if (this.#offeredFor?.name !== name) {
      const offer = hardToGuess(name, (length) => this.#ports.browser.randomBytes(length));
      this.#offeredFor = { name, offer };
    }
    return this.#offeredFor.offer;
  }
}
