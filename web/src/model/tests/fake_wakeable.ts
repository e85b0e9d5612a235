/** A browser that can be woken, as the test says. For tests only. */

import type { Subscription, Wakeable } from '../push/ports.ts';

type Permission = ReturnType<Wakeable['permission']>;

export class FakeWakeable implements Wakeable {
  support: Wakeable['support'] = 'yes';
  language = 'de' as const;
  allowed: Permission = 'default';
  /** What the person says when asked. */
  answer: Permission = 'granted';
  asked = 0;
  /** Keys that were subscribed with. */
  readonly keys: string[] = [];
  /** The push service is not there. */
  down = false;
  connected: () => boolean = () => false;

  permission(): Permission {
    return this.allowed;
  }

  async ask(): Promise<Permission> {
    this.asked += 1;
    if (this.allowed === 'default') this.allowed = this.answer;
    return this.allowed;
  }

  async subscribe(key: string): Promise<Subscription> {
    if (this.down) throw new Error('not reached');
    this.keys.push(key);
    return { endpoint: `https://push.example/${this.keys.length}`, p256dh: 'p', auth: 'a' };
  }

  async unsubscribe(): Promise<void> {
    this.keys.length = 0;
  }

  onAsked(connected: () => boolean): void {
    this.connected = connected;
  }
}
