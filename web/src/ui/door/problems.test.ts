import { expect, it } from 'vitest';
import { catalogues } from '../../i18n/catalogue.ts';
import type { CaptureState, DeviceProblem, DevicesState } from '../../model/screens.ts';
import { canTryAgain, deviceProblems } from './problems.ts';

const kinds: DeviceProblem[] = ['denied', 'missing', 'busy', 'lost', 'insecure', 'unsupported', 'failed'];
const every = [undefined, ...kinds].flatMap((camera) =>
  [undefined, ...kinds].map((microphone) => [camera, microphone] as const),
);

it.each(every)('camera %s and microphone %s are explained with texts that exist', (camera, microphone) => {
  const keys = deviceProblems(devices(camera, microphone));
  expect(keys.length === 0).toBe(camera === undefined && microphone === undefined);
  for (const key of keys) expect(catalogues.en[key]).toBeTypeOf('string');
});

it('the same problem with both is said once', () => {
  expect(deviceProblems(devices('denied', 'denied'))).toEqual(['devices.both_denied']);
  expect(deviceProblems(devices('insecure', 'insecure'))).toEqual(['devices.insecure']);
});

it('nobody is told to try again what cannot work', () => {
  expect(canTryAgain(deviceProblems(devices('insecure', 'insecure')))).toBe(false);
  expect(canTryAgain(deviceProblems(devices('missing', undefined)))).toBe(true);
});

it('different problems are both said', () => {
  expect(deviceProblems(devices('missing', 'denied'))).toEqual(['devices.camera_missing', 'devices.microphone_denied']);
});

function devices(camera: DeviceProblem | undefined, microphone: DeviceProblem | undefined): DevicesState {
  return {
    explain: false,
    camera: capture(camera),
    microphone: capture(microphone),
    speakers: [],
    mirrored: true,
    canFlip: false,
    music: false,
  };
}

function capture(problem: DeviceProblem | undefined): CaptureState {
  return problem ? { on: true, status: 'problem', problem, options: [] } : { on: true, status: 'live', options: [] };
}
