/**
 * The HTTP interface under `/api/v1` as functions. Every failure is a `Refusal`; nothing is retried here.
 */

import type {
  ChangeRoom,
  Door,
  GuestEntry,
  GuestGrant,
  House,
  HttpError,
  Setup,
  SignedOut,
  SignIn,
  SignInStep,
  Ticket,
  User,
} from '../protocol/generated.ts';
import { Refusal } from './refusal.ts';

const TIMEOUT_MS = 10_000;

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export class Http {
  readonly #fetch: typeof fetch;

  constructor(fetchFunction: typeof fetch) {
    this.#fetch = fetchFunction;
  }

  house(): Promise<House> {
    return this.#json('GET', '/me');
  }

  setUp(setup: Setup): Promise<User> {
    return this.#json('POST', '/setup', setup);
  }

  signIn(credentials: SignIn): Promise<SignInStep> {
    return this.#json('POST', '/session', credentials);
  }

  signOut(): Promise<SignedOut> {
    return this.#json('DELETE', '/session', {});
  }

  door(room: string): Promise<Door> {
    return this.#json('GET', `/door?room=${encodeURIComponent(room)}`);
  }

  /** Makes the room if it is not there yet. `name` may be written with `public/`. */
  createRoom(name: string): Promise<Door> {
    return this.#json('POST', '/rooms', { name });
  }

  changeRoom(change: ChangeRoom): Promise<Door> {
    return this.#json('PATCH', '/rooms', change);
  }

  enterAsGuest(entry: GuestEntry): Promise<GuestGrant> {
    return this.#json('POST', '/guests', entry);
  }

  async ticket(grant?: string): Promise<string> {
    const { ticket } = await this.#json<Ticket>('POST', '/tickets', {}, grant);
    return ticket;
  }

  async #json<T>(method: Method, path: string, body?: object, bearer?: string): Promise<T> {
    const response = await this.#call(method, path, body, bearer);
    try {
      return (await response.json()) as T;
    } catch {
      throw new Refusal('offline');
    }
  }

  async #call(method: Method, path: string, body?: object, bearer?: string): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body) headers['content-type'] = 'application/json';
    if (bearer) headers.authorization = `Bearer ${bearer}`;
    let response: Response;
    try {
      response = await this.#fetch(`/api/v1${path}`, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        cache: 'no-store',
        credentials: 'same-origin',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new Refusal('offline');
    }
    if (!response.ok) throw await refusalOf(response);
    return response;
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
