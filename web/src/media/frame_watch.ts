/**
 * Tells the RTP timestamps of the frames that are drawn in lent elements, for as long as somebody needs to know. First
 * choice are the video frame callbacks; where those do not come or know no timestamp, the receiver's synchronization
 * sources are asked, and believed only after the frame has had the time to be drawn.
 */

import type { Clock } from './clock.ts';
import type { VideoOutput } from './outputs.ts';

const POLL_MS = 60;
/** From a frame's delivery to its drawing at the latest: without frame callbacks, and where they should have come. */
const DRAWN_MS = 150;
const OVERDUE_MS = 600;

export class FrameWatch {
  readonly #output: VideoOutput;
  readonly #receiver: Pick<RTCRtpReceiver, 'getSynchronizationSources'>;
  readonly #clock: Clock;
  readonly #onFrame: (rtp: number) => void;
  readonly #watched = new Map<HTMLVideoElement, number>();
  /** Timestamps that were delivered, with the time of their discovery. */
  #delivered: { rtp: number; at: number }[] = [];
  #cancelPoll = (): void => {};
  #stopped = false;

  constructor(
    output: VideoOutput,
    receiver: Pick<RTCRtpReceiver, 'getSynchronizationSources'>,
    clock: Clock,
    onFrame: (rtp: number) => void,
  ) {
    this.#output = output;
    this.#receiver = receiver;
    this.#clock = clock;
    this.#onFrame = onFrame;
    output.onChange = () => this.#watchElements();
    this.#watchElements();
    this.#poll();
  }

  stop(): void {
    this.#stopped = true;
    this.#output.onChange = undefined;
    this.#cancelPoll();
    for (const [element, handle] of this.#watched) element.cancelVideoFrameCallback(handle);
    this.#watched.clear();
  }

  #watchElements(): void {
    for (const element of this.#output.elements) {
      if (!this.#watched.has(element) && 'requestVideoFrameCallback' in element) this.#watch(element);
    }
  }

  #watch(element: HTMLVideoElement): void {
    const handle = element.requestVideoFrameCallback((_now, { rtpTimestamp }) => {
      this.#watched.delete(element);
      if (this.#stopped) return;
      if (this.#output.elements.has(element)) this.#watch(element);
      if (rtpTimestamp !== undefined) this.#onFrame(rtpTimestamp);
    });
    this.#watched.set(element, handle);
  }

  #poll(): void {
    this.#cancelPoll = this.#clock.after(POLL_MS, () => {
      const now = this.#clock.now();
      for (const { rtpTimestamp } of this.#receiver.getSynchronizationSources()) {
        if (rtpTimestamp !== this.#delivered.at(-1)?.rtp) this.#delivered.push({ rtp: rtpTimestamp, at: now });
      }
      const wait = this.#watched.size > 0 ? OVERDUE_MS : DRAWN_MS;
      const drawn = this.#output.elements.size > 0 ? this.#delivered.filter((one) => now - one.at >= wait) : [];
      this.#delivered = this.#delivered.filter((one) => now - one.at < wait);
      const newest = drawn.at(-1);
      if (newest) this.#onFrame(newest.rtp);
      if (!this.#stopped) this.#poll();
    });
  }
}
