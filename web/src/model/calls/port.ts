/** How any page has somebody called. Pages know no more of calls than this. */

export interface Callee {
  readonly id: string;
  readonly name: string;
  /** Address of the picture. */
  readonly picture?: string;
}

export interface Calling {
  /** Rings them and opens the page of the call; what comes of it is shown there. `video`: with the camera on. */
  call(person: Callee, video: boolean): void;
}
