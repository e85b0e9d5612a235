/** A socket whose other end is the test. For tests only. */

import type { ClientMessage, ServerMessage } from '../../protocol/generated.ts';
import type { SocketLike } from '../connection.ts';

export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((code?: number) => void) | null = null;
  closed = false;
  readonly sent: ClientMessage[] = [];

  constructor(readonly ticket: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.onopen?.();
  }

  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** With the code of a close frame, if the server sent one. */
  break(code?: number): void {
    this.onclose?.(code);
  }

  /** What was sent of one type, in order. */
  all<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter((one): one is Extract<ClientMessage, { type: T }> => one.type === type);
  }

  types(): string[] {
    return this.sent.map((one) => one.type);
  }
}
