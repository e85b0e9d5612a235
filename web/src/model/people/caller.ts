/** Calls from lists and pages: with the camera on if it was the last time, unless it is said. */

import type { Callee, Calling } from '../calls/port.ts';
import type { Remembered } from '../remembered.ts';
import type { CallerScreen } from './screens.ts';

export class Caller implements CallerScreen {
  readonly #calling: Calling;
  readonly #remembered: Remembered;

  constructor(calling: Calling, remembered: Remembered) {
    this.#calling = calling;
    this.#remembered = remembered;
  }

  get video(): boolean {
    return this.#remembered.cameraOn;
  }

  call({ id, name, picture }: Callee, video = this.video): void {
    this.#remembered.cameraOn = video;
    this.#calling.call({ id, name, ...(picture === undefined ? {} : { picture }) }, video);
  }
}
