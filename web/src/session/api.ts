/**
 * How a request to `/api/v1` is sent and its answer read. Every failure is a `Refusal`; nothing is retried here. What
 * can be asked stands in `http.ts`, `account.ts` and `admin.ts`.
 */

import type { HttpError } from '../protocol/generated.ts';
import { Refusal } from './refusal.ts';

const TIMEOUT_MS = 10_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestOptions {
  readonly bearer?: string | undefined;
  /** For what may take longer than usual. */
  readonly timeoutMs?: number;
}

/** What is sent as it is, with its own type. */
export interface Content {
  readonly type: string;
  readonly data: Blob | string;
}

export class Api {
  readonly #fetch: typeof fetch;

  constructor(fetchFunction: typeof fetch) {
    this.#fetch = fetchFunction;
  }

  /** Sends JSON and reads JSON. */
  async json<T>(method: Method, path: string, body?: object, options: RequestOptions = {}): Promise<T> {
    return read<T>(await this.#call(method, path, body && asJson(body), options));
  }

  /** Sends JSON; what is answered does not matter. */
  async done(method: Method, path: string, body: object = {}, options: RequestOptions = {}): Promise<true> {
    await this.#call(method, path, asJson(body), options);
    return true;
  }

  /** Sends a file. */
  async sendFile(method: Method, path: string, content: Content, timeoutMs: number): Promise<true> {
    await this.#call(method, path, content, { timeoutMs });
    return true;
  }

  /** Sends a file and reads JSON. */
  async jsonOfFile<T>(method: Method, path: string, content: Content, timeoutMs: number): Promise<T> {
    return read<T>(await this.#call(method, path, content, { timeoutMs }));
  }

  async #call(method: Method, path: string, content: Content | undefined, options: RequestOptions): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (content) headers['content-type'] = content.type;
    if (options.bearer) headers.authorization = `Bearer ${options.bearer}`;
    let response: Response;
    try {
      response = await this.#fetch(`/api/v1${path}`, {
        method,
        headers,
        body: content ? content.data : null,
        cache: 'no-store',
        credentials: 'same-origin',
        signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
      });
    } catch {
      throw new Refusal('offline');
    }
    if (!response.ok) throw await refusalOf(response);
    return response;
  }
}

function asJson(body: object): Content {
  return { type: 'application/json', data: JSON.stringify(body) };
}

async function read<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw new Refusal('offline');
  }
}

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    const error = (await response.json()) as HttpError;
    if (typeof error.code === 'string') return new Refusal(error.code, error.retry_after_ms, error.reference);
  } catch {
    // Not ours: something between us and the server answered.
  }
  return new Refusal(response.status === 503 ? 'unavailable' : 'offline');
}
