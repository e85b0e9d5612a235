/** Who is near, one person, and one's own history over HTTP. For accounts. Every failure is a `Refusal`. */

import type { History, Near, Person } from '../protocol/generated.ts';
import type { Api } from './api.ts';

export class DirectoryHttp {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Favourites, and who was called or called lately. */
  near(): Promise<Near> {
    return this.#api.json('GET', '/people/near');
  }

  person(id: string): Promise<Person> {
    return this.#api.json('GET', `/people/${encodeURIComponent(id)}`);
  }

  setFavourite(id: string, on: boolean): Promise<true> {
    return this.#api.done(on ? 'PUT' : 'DELETE', `/people/${encodeURIComponent(id)}/favourite`);
  }

  /** The newest lines, or those from before a moment. */
  history(before?: number): Promise<History> {
    return this.#api.json('GET', before === undefined ? '/history' : `/history?before=${before}`);
  }

  removeHistory(id: string): Promise<true> {
    return this.#api.done('DELETE', `/history/${encodeURIComponent(id)}`);
  }

  clearHistory(): Promise<true> {
    return this.#api.done('DELETE', '/history');
  }
}
