/**
 * Notices pictures that should come and do not: pure rules over what the browser decoded. Why they do not come is for
 * the server to find out.
 */

import type { Sample } from './stats.ts';

export const PATIENCE_MS = 3_000;

/** A slot of which a picture is expected: somebody looks at it, it is sent, and the line has room for it. */
export interface ExpectedPicture {
  readonly slot: number;
  readonly generation: number;
}

interface Watched {
  readonly generation: number;
  /** Of the whole slot, whoever was in it. */
  readonly decoded: number;
  /** Since when nothing was decoded, or since it was last said. */
  readonly since: number;
}

export class PictureWatch {
  #watched: ReadonlyMap<number, Watched> = new Map();

  /** Those that failed to come for long enough to say so, with each sample. */
  look({ at, videosIn }: Pick<Sample, 'at' | 'videosIn'>, expected: readonly ExpectedPicture[]): ExpectedPicture[] {
    const missing: ExpectedPicture[] = [];
    const watched = expected.map(({ slot, generation }): [number, Watched] => {
      const before = this.#watched.get(slot);
      const decoded = videosIn.find((one) => one.slot === slot)?.framesDecoded ?? 0;
      const stands = before?.generation === generation && before.decoded === decoded;
      if (!stands) return [slot, { generation, decoded, since: at }];
      if (at - before.since < PATIENCE_MS) return [slot, before];
      missing.push({ slot, generation });
      return [slot, { ...before, since: at }];
    });
    this.#watched = new Map(watched);
    return missing;
  }
}
