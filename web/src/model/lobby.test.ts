import { expect, it } from 'vitest';
import { LobbyModel } from './lobby.ts';
import { FakeBrowser } from './tests/fakes.ts';

function lobby() {
  const paths: string[] = [];
  const model = new LobbyModel({ browser: new FakeBrowser('/'), navigate: (path) => paths.push(path) });
  return { model, paths };
}

it.each([
  ['Team Süd', '/r/public/Team%20S%C3%BCd'],
  ['public/Team', '/r/public/Team'],
  [' a//b ', '/r/public/a%2F%2Fb'],
])('%j leads to the open room %s', (text, path) => {
  const { model, paths } = lobby();
  model.setRoomText(text);
  expect(model.state.canEnter).toBe(true);
  model.enterRoom();
  expect(paths).toEqual([path]);
});

it.each([
  ['', undefined],
  ['public/', undefined],
  ['..', 'dots'],
  ['a\u202eb', 'bad_characters'],
])('%j leads nowhere', (text, nameProblem) => {
  const { model, paths } = lobby();
  model.setRoomText(text);
  model.enterRoom();
  expect(model.state).toEqual({ text, canEnter: false, ...(nameProblem ? { nameProblem } : {}) });
  expect(paths).toEqual([]);
});

it('offers a name that is hard to guess, the same for the same name, until it is taken', () => {
  const { model } = lobby();
  model.setRoomText('Team');
  const { offeredName } = model.state;
  expect(offeredName).toMatch(/^Team [a-z-]{20,}$/);
  model.setRoomText('Team ');
  expect(model.state.offeredName).toBe(offeredName);
  model.useOfferedName();
  expect(model.state).toEqual({ text: offeredName, canEnter: true });
});
