/**
 * Which pictures the server is asked for: those that can be seen, as large as they stand on the glass, the most important
 * first. Whoever stands on another page, or looks elsewhere, costs nothing; sound is not concerned.
 */

import type { ParticipantId, Wanted } from '../protocol/generated.ts';
import type { Browser } from './browser.ts';
import type { TileSize } from './screens.ts';

/** Layouts come in bursts; the server needs the last one. */
const LAYOUT_MS = 150;
/** A glance at another tab costs nobody their picture. */
const HIDDEN_MS = 1_500;
/** What most cameras give, width by height. */
const CAMERA_ASPECT = 16 / 9;
/** Nobody sees more detail than this many device pixels per CSS pixel. */
const MOST_PIXEL_RATIO = 2;
const MOST_PIXELS = 4_096;

/** What this device bears of received faces; a shared screen always comes whole. */
export interface Eyes {
  /** Of the size at which they stand. */
  readonly scale: number;
  readonly most: number;
}

export const KEEN: Eyes = { scale: 1, most: Number.POSITIVE_INFINITY };

export class WantedTiles {
  readonly #browser: Pick<Browser, 'clock' | 'hidden' | 'floating' | 'pixelRatio'>;
  readonly #send: (wanted: readonly Wanted[]) => void;
  #sizes: readonly TileSize[] | undefined;
  /** The last speaker first. */
  #spoke: readonly ParticipantId[] = [];
  #eyes = KEEN;
  #sent = '';
  #cancel = (): void => {};

  constructor(
    browser: Pick<Browser, 'clock' | 'hidden' | 'floating' | 'pixelRatio'>,
    send: (wanted: readonly Wanted[]) => void,
  ) {
    this.#browser = browser;
    this.#send = send;
  }

  show(sizes: readonly TileSize[]): void {
    this.#sizes = sizes;
    this.#say(LAYOUT_MS);
  }

  /** Loudest first. */
  speaking(now: readonly ParticipantId[]): void {
    if (now.every((id, i) => this.#spoke[i] === id)) return;
    this.#spoke = [...now, ...this.#spoke.filter((id) => !now.includes(id))];
    this.#say(LAYOUT_MS);
  }

  bear(eyes: Eyes): void {
    this.#eyes = eyes;
    this.#say(LAYOUT_MS);
  }

  visibilityChanged(): void {
    this.#say(this.#away ? HIDDEN_MS : 0);
  }

  close(): void {
    this.#cancel();
  }

  get #away(): boolean {
    return this.#browser.hidden && !this.#browser.floating;
  }

  #say(ms: number): void {
    this.#cancel();
    this.#cancel = this.#browser.clock.after(this.#away ? HIDDEN_MS : ms, () => {
      if (!this.#sizes) return;
      const wanted = this.#away ? [] : this.#wanted(this.#sizes);
      const text = JSON.stringify(wanted);
      if (text === this.#sent) return;
      this.#sent = text;
      this.#send(wanted);
    });
  }

  #wanted(sizes: readonly TileSize[]): Wanted[] {
    const ratio = Math.min(this.#browser.pixelRatio, MOST_PIXEL_RATIO);
    const seen = sizes.filter(({ width, height }) => width > 0 && height > 0);
    const of = (kind: 'person' | 'screen') =>
      seen.flatMap((tile) => {
        const [is, participant] = splitKey(tile.key);
        return is === kind ? [{ ...tile, participant }] : [];
      });
    const screens = of('screen').map(
      ({ participant, width, height }): Wanted => ({
        participant,
        source: 'screen',
        width: pixels(width * ratio),
        height: pixels(height * ratio),
      }),
    );
    const rank = (id: ParticipantId): number => {
      const at = this.#spoke.indexOf(id);
      return at < 0 ? this.#spoke.length : at;
    };
    const people = of('person').sort((a, b) => rank(a.participant) - rank(b.participant));
    const faces = people.slice(0, this.#eyes.most).map(({ participant, width, height }): Wanted => {
      // A face covers its tile and is cut at the longer side: its picture is larger than the tile.
      const covering = Math.max(width, height * CAMERA_ASPECT) * ratio * this.#eyes.scale;
      return { participant, source: 'camera', width: pixels(covering), height: pixels(covering / CAMERA_ASPECT) };
    });
    return [...screens, ...faces];
  }
}

function pixels(size: number): number {
  return Math.min(MOST_PIXELS, Math.max(1, Math.round(size)));
}

/** A tile's key is what it shows and of whom. */
export function splitKey(key: string): [kind: 'person' | 'screen', participant: ParticipantId] {
  const [kind, ...rest] = key.split(' ');
  return [kind === 'screen' ? 'screen' : 'person', rest.join(' ')];
}
