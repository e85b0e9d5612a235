/** A clock that is turned by hand, and the turns of the event loop that promises take. For the tests of all layers. */

export class FakeClock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Fires what is due in order, letting promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
      await settle();
    }
    this.#now = end;
  }

  /** Time passes while no timer can fire, as when a laptop sleeps. */
  sleep(ms: number): void {
    this.#now += ms;
  }
}

export async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await Promise.resolve();
}
