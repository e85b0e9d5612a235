/**
 * Where pictures and sound come out: a component lends an element, the media layer fills it and takes everything back
 * when the component lets go. Nobody else sets `srcObject`, `muted` or calls `play` on a lent element.
 */

export interface VideoSurface {
  /** Returns the function that gives the element back. */
  attach(element: HTMLVideoElement): () => void;
}

export interface AudioSurface {
  attach(element: HTMLAudioElement): () => void;
}
