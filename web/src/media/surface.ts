/**
 * Where pictures and sound come out: a component lends an element, the media layer fills it and takes everything back
 * when the component lets go. Nobody else sets `srcObject`, `muted` or calls `play` on a lent element.
 * A video that is not to be seen yet stays in the layout (`visibility: hidden` or `opacity: 0`, never `display: none`):
 * browsers report no frames for an element without a box, and the first right frame is what makes it visible.
 */

export interface VideoSurface {
  /** Returns the function that gives the element back. */
  attach(element: HTMLVideoElement): () => void;
}

export interface AudioSurface {
  attach(element: HTMLAudioElement): () => void;
}
