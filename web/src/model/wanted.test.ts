import { expect, it } from 'vitest';
import type { Wanted } from '../protocol/generated.ts';
import { FakeClock } from '../tests/clock.ts';
import type { TileSize } from './screens.ts';
import { KEEN, WantedTiles } from './wanted.ts';

class Scene {
  readonly clock = new FakeClock();
  readonly browser = { clock: this.clock, hidden: false, floating: false, pixelRatio: 1 };
  readonly said: (readonly Wanted[])[] = [];
  readonly tiles = new WantedTiles(this.browser, (wanted) => this.said.push(wanted));

  /** Whose pictures were asked for last, the most important first. */
  get last(): string {
    return (this.said.at(-1) ?? []).map(({ participant, source }) => `${source} ${participant}`).join(', ');
  }

  hide(hidden: boolean): void {
    this.browser.hidden = hidden;
    this.tiles.visibilityChanged();
  }
}

function tiles(...keys: string[]): TileSize[] {
  return keys.map((key) => ({ key, width: 160, height: 90 }));
}

it('screens come first, then who spoke last, then the others as they stand', async () => {
  const scene = new Scene();
  scene.tiles.show(tiles('person ann', 'person bob', 'screen cleo', 'person cleo'));
  await scene.clock.pass(200);
  expect(scene.last).toBe('screen cleo, camera ann, camera bob, camera cleo');
  scene.tiles.speaking(['cleo']);
  await scene.clock.pass(200);
  expect(scene.last).toBe('screen cleo, camera cleo, camera ann, camera bob');
  scene.tiles.speaking(['bob', 'cleo']);
  scene.tiles.speaking([]);
  await scene.clock.pass(200);
  expect(scene.last).toBe('screen cleo, camera bob, camera cleo, camera ann');
});

it('a hidden page wants nothing after a while, and everything at once when it is back', async () => {
  const scene = new Scene();
  scene.tiles.show(tiles('person ann'));
  await scene.clock.pass(200);
  scene.hide(true);
  await scene.clock.pass(1_000);
  scene.hide(false);
  await scene.clock.pass(5_000);
  expect(scene.said.length).toBe(1);
  scene.hide(true);
  await scene.clock.pass(1_600);
  expect(scene.said.at(-1)).toEqual([]);
  scene.hide(false);
  await scene.clock.pass(0);
  expect(scene.last).toBe('camera ann');
});

it('a page whose picture floats over other windows is looked at', async () => {
  const scene = new Scene();
  scene.browser.floating = true;
  scene.tiles.show(tiles('person ann'));
  scene.hide(true);
  await scene.clock.pass(5_000);
  expect(scene.last).toBe('camera ann');
  scene.browser.floating = false;
  scene.tiles.visibilityChanged();
  await scene.clock.pass(1_600);
  expect(scene.said.at(-1)).toEqual([]);
});

it('a device that bears less gets fewer and smaller faces, and screens whole', async () => {
  const scene = new Scene();
  scene.tiles.show(tiles('screen ann', 'person ann', 'person bob', 'person cleo'));
  scene.tiles.speaking(['cleo']);
  scene.tiles.bear({ scale: 0.5, most: 2 });
  await scene.clock.pass(200);
  expect(scene.said.at(-1)).toEqual([
    { participant: 'ann', source: 'screen', width: 160, height: 90 },
    { participant: 'cleo', source: 'camera', width: 80, height: 45 },
    { participant: 'ann', source: 'camera', width: 80, height: 45 },
  ]);
  scene.tiles.bear(KEEN);
  await scene.clock.pass(200);
  expect(scene.said.at(-1)?.length).toBe(4);
});
