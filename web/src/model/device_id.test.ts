import { expect, it } from 'vitest';
import { browserId, claimDevice } from './device_id.ts';
import { FakeBrowser } from './tests/fakes.ts';

it('keeps its id over a reload', async () => {
  const before = new FakeBrowser();
  const first = await claimDevice(before);
  expect(first).toMatchObject({ kept: false });
  expect(first.id).toMatch(/^[0-9a-f]{32}$/);
  const after = new FakeBrowser();
  after.session = before.session;
  after.reloaded = true;
  expect(await claimDevice(after)).toEqual({ id: first.id, kept: true });
});

it('is another one in a duplicated tab', async () => {
  const original = new FakeBrowser();
  const first = await claimDevice(original);
  const copy = new FakeBrowser();
  for (const [key, value] of original.session.values) copy.session.set(key, value);
  for (const name of original.locks) copy.locks.add(name);
  const second = await claimDevice(copy);
  expect(second.kept).toBe(false);
  expect(second.id).not.toBe(first.id);
});

it('is one device with all tabs of its browser, and another one than other browsers', () => {
  const one = new FakeBrowser();
  const id = browserId(one);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  const secondTab = new FakeBrowser();
  secondTab.local = one.local;
  expect(browserId(secondTab)).toBe(id);
  expect(browserId(new FakeBrowser())).not.toBe(id);
});
