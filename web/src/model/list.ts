/** A list that is loaded whole: added to, changed and taken from; and what is told once about a new one. */

import type { CopyableScreen } from './copyable.ts';
import type { Readable } from './store.ts';
import { type SignedOut, Work, type WorkState } from './work.ts';

/** Told once: a link or a secret. */
export interface Told {
  readonly kind: 'link' | 'secret';
  readonly text: CopyableScreen;
  /** What it belongs to. */
  readonly name: string;
  /** The other half of a secret: an application's client id. */
  readonly id?: CopyableScreen;
  readonly expiresAt?: number;
  /** It went out by mail as well. */
  readonly mailed?: boolean;
}

export interface Identified {
  readonly id: string;
}

export interface ListState<Item> extends WorkState {
  /** Absent until the first list is here; with a `problem`, the button is `retry()`. */
  readonly items?: readonly Item[];
  readonly told?: Told;
}

export interface ListScreen<Item, Draft = never> extends Readable<ListState<Item>> {
  retry(): void;
  make(draft: Draft): Promise<boolean>;
  change(id: string, draft: Draft): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  forgetTold(): void;
}

export interface ListPorts<Item, Draft> {
  load(): Promise<readonly Item[]>;
  /** What is told once about what was made, if anything. */
  make?(draft: Draft): Promise<Told | undefined>;
  change?(id: string, draft: Draft): Promise<unknown>;
  remove(id: string): Promise<unknown>;
}

export class ListModel<Item, Draft = never> extends Work<ListState<Item>> implements ListScreen<Item, Draft> {
  readonly #ports: ListPorts<Item, Draft>;

  constructor(ports: ListPorts<Item, Draft>, signedOut: SignedOut) {
    super({ busy: false }, signedOut);
    this.#ports = ports;
    this.retry();
  }

  retry(): void {
    void this.#change(async () => undefined);
  }

  make(draft: Draft): Promise<boolean> {
    return this.#change(() => this.#ports.make?.(draft));
  }

  change(id: string, draft: Draft): Promise<boolean> {
    return this.apply(async () => this.#ports.change?.(id, draft));
  }

  remove(id: string): Promise<boolean> {
    return this.apply(() => this.#ports.remove(id));
  }

  forgetTold(): void {
    this.patch({ told: undefined });
  }

  /** Does something to what is listed, and reads the list anew. */
  protected apply(act: () => Promise<unknown>): Promise<boolean> {
    return this.#change(async () => void (await act()));
  }

  async #change(act: () => Promise<Told | undefined> | undefined): Promise<boolean> {
    const done = await this.attempt(async () => {
      const told = await act();
      if (told) this.patch({ told });
      return { items: await this.#ports.load() };
    });
    if (done) this.patch(done);
    return done !== undefined;
  }
}
