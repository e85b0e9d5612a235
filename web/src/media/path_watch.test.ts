import { describe, expect, it } from 'vitest';
import { PathWatch, Recovery } from './path_watch.ts';
import type { Sample } from './stats.ts';

/** What a browser tells of a path in the course of time; judged after every look. */
class Line {
  at = 0;
  bytes = 1_000;
  asked = 0;
  answered = 0;
  heardAt = 0;
  readonly watch = new PathWatch(0);

  hears(): void {
    this.bytes += 100;
    this.heardAt = this.at;
  }

  look(): boolean {
    const sample = {
      at: this.at,
      connection: 'c-1',
      path: {
        bytesReceived: this.bytes,
        responsesReceived: this.answered,
        requestsSent: this.asked,
        silentMs: this.at - this.heardAt,
      },
    };
    this.watch.see(sample as Sample);
    return this.watch.isDead(this.at);
  }

  /** Looks every second, and closer where there is doubt; the moment of death, if it dies. */
  live(ms: number, happens: (at: number) => void, lookMs = 1_000): number | undefined {
    const end = this.at + ms;
    let next = this.at + lookMs;
    while (this.at < end) {
      this.at += 50;
      happens(this.at);
      if (this.at < next) continue;
      if (this.look()) return this.at;
      next = this.at + (this.watch.isInDoubt(this.at) ? 250 : lookMs);
    }
    return undefined;
  }
}

describe('a path', () => {
  it.each([0, 250, 400, 650, 900])(
    'over which media came is dead within two seconds of the last of it (%i ms after a look)',
    (phase) => {
      const line = new Line();
      expect(line.live(10_000 + phase, () => line.hears())).toBeUndefined();
      const died = line.live(5_000, () => {});
      expect(died && died - line.heardAt).toBeGreaterThanOrEqual(1_500);
      expect(died && died - line.heardAt).toBeLessThanOrEqual(2_000);
    },
  );

  it('lives over gaps that loss and pauses make', () => {
    const line = new Line();
    let next = 0;
    const speaks = (at: number): void => {
      if (at < next) return;
      line.hears();
      next = at + 400 + ((at * 7919) % 900);
    };
    expect(line.live(120_000, speaks)).toBeUndefined();
  });

  it('of somebody alone is not suspected for the quiet, only for checks in vain', () => {
    const line = new Line();
    const checks = (at: number): void => {
      if (at % 2_700 === 0) line.asked++;
      if (at % 2_700 === 50) {
        line.answered++;
        line.heardAt = at;
      }
    };
    expect(line.live(300_000, checks)).toBeUndefined();
    const cut = line.at;
    // Browsers check more and more often what does not answer.
    const died = line.live(20_000, (at) => {
      if (at % 2_700 === 0 || at - cut > 2_500) line.asked++;
    });
    expect(died && died - cut).toBeLessThanOrEqual(4_000);
  });

  it('about which the browser says little is given up after six seconds', () => {
    const line = new Line();
    expect(line.live(2_000, () => line.hears())).toBeUndefined();
    const died = line.live(20_000, () => {});
    expect(died && died - line.heardAt).toBeGreaterThanOrEqual(6_000);
    expect(died && died - line.heardAt).toBeLessThanOrEqual(7_000);
  });

  it('is judged sooner after a hint', () => {
    const line = new Line();
    line.live(10_000, () => line.hears());
    line.watch.hint(line.at);
    const died = line.live(5_000, () => {}, 250);
    expect(died && died - line.heardAt).toBeLessThanOrEqual(1_000);
  });

  it('is not judged for the time in which the page slept', () => {
    const line = new Line();
    line.live(10_000, () => line.hears());
    line.at += 45_000;
    expect(line.look()).toBe(false);
    line.at += 1_000;
    expect(line.look()).toBe(false);
    line.at += 1_000;
    line.hears();
    expect(line.look()).toBe(false);
  });

  it('seen once a minute only, by a page in the background, is left alone', () => {
    const line = new Line();
    for (let minute = 0; minute < 10; minute++) {
      line.at += 60_000;
      line.hears();
      expect(line.look()).toBe(false);
    }
  });
});

describe('what is tried', () => {
  it('is a restart first, then another connection, in growing pauses', () => {
    const recovery = new Recovery();
    const tried: string[] = [];
    for (let now = 0; now < 60_000; now += 250) {
      const remedy = recovery.next(now, 0.5);
      if (remedy) tried.push(`${remedy} ${now / 1_000}`);
    }
    expect(tried).toEqual(['restart 0', 'replace 3', 'replace 9', 'replace 21', 'replace 36', 'replace 51']);
  });

  it('waits somewhat more or less', () => {
    const pause = (random: number): number => {
      const recovery = new Recovery();
      recovery.next(0, random);
      let now = 0;
      while (!recovery.next(now, random)) now += 10;
      return now;
    };
    expect([pause(0), pause(0.999)]).toEqual([2_250, 3_750]);
  });

  it('does not come more often when the path comes and goes, unless somebody asks', () => {
    const recovery = new Recovery();
    expect(recovery.next(0, 0.5)).toBe('restart');
    recovery.over();
    expect(recovery.next(1_000, 0.5)).toBeUndefined();
    recovery.hurry();
    expect(recovery.next(1_000, 0.5)).toBe('restart');
  });
});
