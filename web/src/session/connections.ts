/** Records of connections over HTTP: one's own, and for administrators everybody's. Every failure is a `Refusal`. */

import type {
  ConnectionRecords,
  ConnectionTimeline,
  PersonsConnections,
  PersonsTimeline,
} from '../protocol/generated.ts';
import type { Api } from './api.ts';

export interface ConnectionFilter {
  readonly text: string;
  readonly troubled: boolean;
  /** Unix milliseconds. */
  readonly since?: number | undefined;
  readonly before?: number | undefined;
}

export class ConnectionsHttp {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  own(between: { since?: number | undefined; before?: number | undefined } = {}): Promise<ConnectionRecords> {
    return this.#api.json('GET', `/connections${query(between)}`);
  }

  read(id: string): Promise<ConnectionTimeline> {
    return this.#api.json('GET', `/connections/${encodeURIComponent(id)}`);
  }

  all({ text, troubled, since, before }: ConnectionFilter): Promise<PersonsConnections> {
    const wanted = { text: text || undefined, troubled: troubled || undefined, since, before };
    return this.#api.json('GET', `/admin/connections${query(wanted)}`);
  }

  readAny(id: string): Promise<PersonsTimeline> {
    return this.#api.json('GET', `/admin/connections/${encodeURIComponent(id)}`);
  }
}

function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text && `?${text}`;
}
