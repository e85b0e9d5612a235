/**
 * The elements that components lent, and what plays in them. Video elements are always silent; sound has elements of
 * its own. Knows when the browser refuses to play sound before a click.
 */

import type { AudioSurface, VideoSurface } from './surface.ts';

export class VideoOutput implements VideoSurface {
  readonly #elements = new Set<HTMLVideoElement>();
  #stream: MediaStream | null = null;
  /** Called with the elements whenever they or the stream change. */
  onChange: (() => void) | undefined;

  get elements(): ReadonlySet<HTMLVideoElement> {
    return this.#elements;
  }

  attach(element: HTMLVideoElement): () => void {
    this.#elements.add(element);
    element.muted = true;
    element.playsInline = true;
    element.autoplay = true;
    fill(element, this.#stream);
    this.onChange?.();
    return () => {
      this.#elements.delete(element);
      fill(element, null);
      this.onChange?.();
    };
  }

  show(stream: MediaStream | null): void {
    if (stream === this.#stream) return;
    this.#stream = stream;
    for (const element of this.#elements) fill(element, stream);
    this.onChange?.();
  }
}

export class AudioOutput implements AudioSurface {
  readonly #speakers: Speakers;
  readonly #elements = new Set<HTMLAudioElement>();
  #stream: MediaStream | null = null;

  constructor(speakers: Speakers) {
    this.#speakers = speakers;
  }

  attach(element: HTMLAudioElement): () => void {
    this.#elements.add(element);
    this.#fill(element);
    return () => {
      this.#elements.delete(element);
      this.#speakers.remove(element);
      element.srcObject = null;
    };
  }

  play(stream: MediaStream | null): void {
    if (stream === this.#stream) return;
    this.#stream = stream;
    for (const element of this.#elements) this.#fill(element);
  }

  #fill(element: HTMLAudioElement): void {
    element.srcObject = this.#stream;
    if (this.#stream) this.#speakers.add(element);
    else this.#speakers.remove(element);
  }
}

/** All sound of a meeting: which loudspeaker, and whether the browser lets it play. */
export class Speakers {
  readonly #playing = new Set<HTMLAudioElement>();
  readonly #onBlocked: (blocked: boolean) => void;
  #sink = '';

  constructor(onBlocked: (blocked: boolean) => void) {
    this.#onBlocked = onBlocked;
  }

  add(element: HTMLAudioElement): void {
    this.#playing.add(element);
    this.#route(element);
    this.#play(element);
  }

  remove(element: HTMLAudioElement): void {
    this.#playing.delete(element);
  }

  /** An empty id is the browser's choice. */
  choose(id: string): void {
    if (id === this.#sink) return;
    this.#sink = id;
    for (const element of this.#playing) this.#route(element);
  }

  /** In a click handler: plays what was blocked. */
  unblock(): void {
    this.#onBlocked(false);
    for (const element of this.#playing) this.#play(element);
  }

  #route(element: HTMLAudioElement): void {
    if (!('setSinkId' in element) || element.sinkId === this.#sink) return;
    // A loudspeaker that is gone: the sound stays where it is.
    element.setSinkId(this.#sink).catch(() => {});
  }

  #play(element: HTMLAudioElement): void {
    element.play().catch((error: unknown) => {
      // AbortError only says that the stream was replaced while it started.
      if (error instanceof DOMException && error.name === 'NotAllowedError' && this.#playing.has(element)) {
        this.#onBlocked(true);
      }
    });
  }
}

function fill(element: HTMLVideoElement, stream: MediaStream | null): void {
  element.srcObject = stream;
  if (stream) element.play().catch(() => {});
}
