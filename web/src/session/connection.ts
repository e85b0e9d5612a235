/**
 * The one WebSocket of a client: ticket, socket, hello, intents as promises, and the watchdog that notices a dead
 * socket. Comes back by itself with full-jitter back-off until it is stopped or the server says that the session is
 * over. Knows nothing of rooms.
 */

import type {
  BrowserId,
  ClientInfo,
  ClientMessage,
  ErrorCode,
  IntentId,
  ServerMessage,
} from '../protocol/generated.ts';
import { backoffMs, LIVELY_CAP_MS } from './backoff.ts';
import type { Clock } from './clock.ts';
import { asRefusal, Refusal } from './refusal.ts';

const VERSIONS = [1];
/** From the start of an attempt to `welcome`. */
const ATTEMPT_MS = 6_000;
/**
 * In a meeting the ticket is asked for again, or the socket opened again, after so long without an answer: what was sent into a
 * dead line is tried again later and later by the system, and the line may be back meanwhile.
 */
const ASK_AGAIN_MS = 2_000;
const INTENT_MS = 8_000;
/** A socket that lived shorter does not reset the back-off. */
const STEADY_MS = 5_000;
/** Close code of a server that restarts. */
const SERVICE_RESTART = 1012;
/** A timer later than this says that the page slept: whatever seems overdue gets a second chance. */
const SLEPT_MS = 1_000;

/** How often the watchdog looks, after how much quiet it pings, and how long a pong may take. */
interface Pulse {
  readonly tickMs: number;
  readonly quietMs: number;
  readonly pongMs: number;
}

/** In a meeting a dead socket is noticed within three seconds. */
const LIVELY: Pulse = { tickMs: 500, quietMs: 500, pongMs: 1_500 };
const CALM: Pulse = { tickMs: 5_000, quietMs: 10_000, pongMs: 5_000 };

const FINAL_CODES: ReadonlySet<ErrorCode | 'offline'> = new Set<ErrorCode>([
  'sign_in_required',
  'forbidden',
  'guests_not_allowed',
  'unsupported_version',
]);

/** The part of a browser's WebSocket that is used. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  /** With the code of the close frame, if there was one. */
  onclose: ((code?: number) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface ConnectionPorts {
  readonly client: ClientInfo;
  /** All tabs of one browser are one device. */
  readonly browser?: BrowserId | undefined;
  readonly clock: Clock;
  ticket(): Promise<string>;
  openSocket(ticket: string): SocketLike;
  random(): number;
}

export interface ConnectionHandlers {
  /** `hello` was just sent: what should follow it without a round trip is sent now. */
  opened(): void;
  message(message: ServerMessage): void;
  /** The socket is gone; another is being tried. `restarts`: the server said that it will be back. */
  down(restarts: boolean): void;
  /** The session is over: nothing more is tried. */
  ended(refusal: Refusal): void;
}

type WithId = Extract<ClientMessage, { id: IntentId }>;
export type Intent = WithId extends infer M ? (M extends WithId ? Omit<M, 'id'> : never) : never;
export type Notice = Exclude<ClientMessage, { id: IntentId } | { type: 'hello' }>;
/** What intents are answered with, besides `ok`. */
export type Answer = Extract<ServerMessage, { type: 'answer' | 'calling' }>;

interface Pending {
  resolve(answer: Answer | undefined): void;
  reject(refusal: Refusal): void;
  cancelTimeout(): void;
}

export class Connection {
  readonly #ports: ConnectionPorts;
  readonly #handlers: ConnectionHandlers;
  readonly #pending = new Map<IntentId, Pending>();
  #state: 'stopped' | 'connecting' | 'open' | 'backing_off' = 'stopped';
  #socket: SocketLike | undefined;
  /** Whatever an older round started is stale. */
  #round = 0;
  #attempt = 0;
  #openedAt = 0;
  #nextId = 1;
  #pulse = CALM;
  #heardAt = 0;
  #pingedAt: number | undefined;
  /** The ticket of the last socket for the next one. */
  #back: string | undefined;
  #cancelTimer = (): void => {};
  #cancelAsking = (): void => {};

  constructor(ports: ConnectionPorts, handlers: ConnectionHandlers) {
    this.#ports = ports;
    this.#handlers = handlers;
  }

  /** Whether messages can be sent: from `hello` on. */
  get open(): boolean {
    return this.#state === 'open';
  }

  start(): void {
    if (this.#state === 'stopped') this.#connect();
  }

  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#back = undefined;
    this.#drop();
  }

  /** In a meeting the watchdog looks more often. */
  setLively(lively: boolean): void {
    this.#pulse = lively ? LIVELY : CALM;
    if (this.open) this.#watch();
  }

  /** The network or the page came back: look at once instead of waiting for a timer. */
  check(): void {
    if (this.#state === 'backing_off') this.#connect();
    else if (this.open && this.#pingedAt === undefined) this.#ping();
  }

  /** Gives this socket up for another one after a pause: something that must work was refused for now. */
  retry(refusal: Refusal): void {
    if (this.open) this.#lost(refusal);
  }

  notify(message: Notice): void {
    if (this.open) this.#write(message);
  }

  /** Resolves with the server's answer, with nothing for `ok`. */
  request(intent: Intent): Promise<Answer | undefined> {
    if (!this.open) return Promise.reject(new Refusal('offline'));
    const id = String(this.#nextId++);
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#ports.clock.after(INTENT_MS, () => {
        this.#pending.delete(id);
        reject(new Refusal('offline'));
      });
      this.#pending.set(id, { resolve, reject, cancelTimeout });
      this.#write({ ...intent, id } as ClientMessage);
    });
  }

  #connect(): void {
    this.#cancelTimer();
    this.#state = 'connecting';
    const round = ++this.#round;
    this.#cancelTimer = this.#ports.clock.after(ATTEMPT_MS, () => this.#lost(new Refusal('offline')));
    if (this.#back !== undefined && this.#pulse === LIVELY) this.#comeBack(this.#back, round, true);
    else this.#askForTicket(round);
  }

  /**
   * Without a request: browsers make few of them at a time, and those that went into a dead line hold up the ones that come
   * later, while a socket that is let go of takes nothing along.
   */
  #comeBack(ticket: string, round: number, again: boolean): void {
    const socket = this.#openSocket(ticket, round);
    const waits = (): boolean => socket === this.#socket && !this.open;
    const lost = socket.onclose;
    socket.onclose = (code) => {
      if (!waits()) return lost?.(code);
      // The house does not know the ticket any more, or is not there.
      this.#cancelAsking();
      this.#socket = undefined;
      this.#askForTicket(round);
    };
    if (!again) return;
    this.#cancelAsking = this.#ports.clock.after(ASK_AGAIN_MS, () => {
      if (!waits()) return;
      letGo(socket);
      this.#comeBack(ticket, round, false);
    });
  }

  #askForTicket(round: number): void {
    const waits = (): boolean => round === this.#round && !this.#socket;
    this.#ports.ticket().then(
      (ticket) => {
        if (waits()) this.#openSocket(ticket, round);
      },
      (error) => {
        if (waits()) this.#lost(asRefusal(error));
      },
    );
    if (this.#pulse !== LIVELY) return;
    this.#cancelAsking = this.#ports.clock.after(ASK_AGAIN_MS, () => {
      if (waits()) this.#askForTicket(round);
    });
  }

  #openSocket(ticket: string, round: number): SocketLike {
    const socket = this.#ports.openSocket(ticket);
    this.#socket = socket;
    socket.onopen = () => {
      if (round === this.#round) this.#opened();
    };
    socket.onmessage = (event) => {
      if (round === this.#round) this.#received(event.data);
    };
    socket.onclose = (code) => {
      if (round === this.#round) this.#lost(new Refusal('offline'), code === SERVICE_RESTART);
    };
    return socket;
  }

  #opened(): void {
    this.#state = 'open';
    this.#openedAt = this.#ports.clock.now();
    this.#heardAt = this.#openedAt;
    this.#pingedAt = undefined;
    this.#back = undefined;
    const { browser, client } = this.#ports;
    this.#write({ type: 'hello', versions: VERSIONS, client, ...(browser === undefined ? {} : { browser }) });
    this.#watch();
    this.#handlers.opened();
  }

  #received(data: unknown): void {
    this.#heardAt = this.#ports.clock.now();
    this.#pingedAt = undefined;
    const message = parse(data);
    if (!message) return;
    switch (message.type) {
      case 'pong':
        return;
      case 'ok':
      case 'answer':
      case 'calling':
        this.#settle(message.id, (pending) => pending.resolve(message.type === 'ok' ? undefined : message));
        return;
      case 'error': {
        const refusal = new Refusal(message.code, message.retry_after_ms, message.reference);
        if (message.id !== undefined) this.#settle(message.id, (pending) => pending.reject(refusal));
        else if (message.code === 'unsupported_version') this.#lost(refusal);
        return;
      }
      case 'welcome':
        this.#back = message.back;
        this.#handlers.message(message);
        return;
      default:
        this.#handlers.message(message);
    }
  }

  #settle(id: IntentId, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    pending.cancelTimeout();
    settle(pending);
  }

  #lost(refusal: Refusal, restarts = false): void {
    const wasOpen = this.open;
    const { clock, random } = this.#ports;
    if (FINAL_CODES.has(refusal.code)) {
      this.#state = 'stopped';
      this.#drop();
      this.#handlers.ended(refusal);
      return;
    }
    if (wasOpen && clock.now() - this.#openedAt >= STEADY_MS) this.#attempt = 0;
    this.#state = 'backing_off';
    this.#drop();
    const cap = this.#pulse === LIVELY ? LIVELY_CAP_MS : undefined;
    const wait = Math.max(backoffMs(this.#attempt++, random.call(this.#ports), cap), refusal.retryAfterMs ?? 0);
    this.#cancelTimer = clock.after(wait, () => this.#connect());
    if (wasOpen) this.#handlers.down(restarts);
  }

  /** Lets go of the socket and of everything that waits for it. */
  #drop(): void {
    this.#round++;
    this.#cancelTimer();
    this.#cancelAsking();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) letGo(socket);
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of waiting) {
      pending.cancelTimeout();
      pending.reject(new Refusal('offline'));
    }
  }

  #watch(): void {
    this.#cancelTimer();
    const { clock } = this.#ports;
    const pulse = this.#pulse;
    const due = clock.now() + pulse.tickMs;
    this.#cancelTimer = clock.after(pulse.tickMs, () => {
      const now = clock.now();
      const slept = now - due > SLEPT_MS;
      if (this.#pingedAt !== undefined && !slept && now - this.#pingedAt >= pulse.pongMs) {
        this.#lost(new Refusal('offline'));
        return;
      }
      if (slept || (this.#pingedAt === undefined && now - this.#heardAt >= pulse.quietMs)) this.#ping();
      this.#watch();
    });
  }

  #ping(): void {
    this.#pingedAt = this.#ports.clock.now();
    this.#write({ type: 'ping', id: String(this.#nextId++) });
  }

  #write(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }
}

function letGo(socket: SocketLike): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
  socket.close();
}

function parse(data: unknown): ServerMessage | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const message: unknown = JSON.parse(data);
    if (typeof message === 'object' && message !== null && 'type' in message) return message as ServerMessage;
  } catch {
    // Falls through: garbage is not worth a connection.
  }
  return undefined;
}
