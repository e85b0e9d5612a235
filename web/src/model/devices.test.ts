import { describe, expect, it } from 'vitest';
import { settle } from '../tests/clock.ts';
import { DevicesModel } from './devices.ts';
import { Remembered } from './remembered.ts';
import { FakeBrowser, FakeCapture } from './tests/fakes.ts';

const BOTH = { microphone: true, camera: true, explained: false };

function person(change: (capture: FakeCapture) => void = () => {}) {
  const capture = new FakeCapture();
  change(capture);
  const browser = new FakeBrowser();
  const remembered = new Remembered(browser);
  const measured: string[] = [];
  const devices = new DevicesModel({
    capture,
    remembered,
    newStream: () => ({}) as MediaStream,
    measureLevel: () => {
      measured.push('start');
      return () => measured.push('stop');
    },
  });
  const log: string[] = [];
  devices.listen({
    track: (kind, track) => log.push(`${kind} ${track ? 'track' : 'none'}`),
    muted: (kind, muted) => log.push(`${kind} ${muted ? 'muted' : 'unmuted'}`),
    music: (on) => log.push(on ? 'music' : 'voice'),
  });
  const short = () => {
    const { microphone, camera, explain } = devices.state;
    const one = ({ on, status, problem }: typeof microphone) => `${on ? 'on' : 'off'} ${problem ?? status}`;
    return `${explain ? 'explain, ' : ''}${one(microphone)}, ${one(camera)}`;
  };
  return { capture, devices, log, measured, remembered, short };
}

describe('at the door', () => {
  it('opens both at once when the browser has allowed them before', async () => {
    const { capture, devices, log, short } = person();
    await devices.begin(BOTH);
    expect(short()).toBe('on live, on live');
    expect(capture.asked).toEqual(['microphone+camera']);
    expect(log).toEqual(['microphone track', 'microphone unmuted', 'camera track', 'camera unmuted']);
    expect(devices.state.camera.options).toEqual([{ id: 'cam-a', label: 'CAM-A' }]);
  });

  it('opens the microphone anew for music, and remembers it', async () => {
    const { capture, devices, log, remembered } = person();
    await devices.begin(BOTH);
    log.length = 0;
    devices.setMusic(true);
    await settle();
    expect(capture.asked).toEqual(['microphone+camera', 'music']);
    expect(log).toEqual(['music', 'microphone track', 'microphone unmuted']);
    expect([devices.state.music, remembered.music]).toEqual([true, true]);
    devices.setMusic(false);
    await settle();
    expect(capture.asked.at(-1)).toBe('microphone');
    expect(log.slice(3)).toEqual(['voice', 'microphone track', 'microphone unmuted']);
  });

  it('explains first and asks once, after the click', async () => {
    const { capture, devices, short } = person((one) => {
      one.permissions = { microphone: 'prompt', camera: 'prompt' };
    });
    await devices.begin(BOTH);
    expect(short()).toBe('explain, on ask, on ask');
    expect(capture.asked).toEqual([]);
    devices.ask();
    await settle();
    expect(short()).toBe('on live, on live');
    expect(capture.asked).toEqual(['microphone+camera']);
  });

  it('goes without when the explanation is skipped, and asks when a toggle wants it', async () => {
    const { capture, devices, short } = person((one) => {
      one.permissions = { microphone: 'prompt', camera: 'prompt' };
    });
    await devices.begin(BOTH);
    devices.skip();
    expect(short()).toBe('off off, off off');
    devices.toggleMicrophone();
    await settle();
    expect(short()).toBe('on live, off off');
    expect(capture.asked).toEqual(['microphone']);
  });

  it('does not explain again to one who comes back to a meeting', async () => {
    const { devices, short } = person((one) => {
      one.permissions = { microphone: 'prompt', camera: 'prompt' };
    });
    await devices.begin({ microphone: true, camera: false, explained: true });
    expect(short()).toBe('on live, off off');
  });

  it('says denied for both when the person says no', async () => {
    const { capture, devices, short } = person((one) => {
      one.permissions = { microphone: 'prompt', camera: 'prompt' };
      one.answer = 'denied';
    });
    await devices.begin(BOTH);
    devices.ask();
    await settle();
    expect(short()).toBe('off denied, off denied');
    expect(capture.asked.length).toBe(1);
  });

  it.each<[string, { denied?: boolean; cameras?: string[]; busy?: string }, string]>([
    ['a denied camera', { denied: true }, 'on live, off denied'],
    ['no camera', { cameras: [] }, 'on live, off missing'],
    ['a busy microphone', { busy: 'mic-a' }, 'off busy, on live'],
  ])('%s does not cost the other device', async (_, { denied, cameras, busy }, expected) => {
    const { devices, short } = person((one) => {
      if (denied) one.permissions.camera = 'denied';
      if (cameras) one.cameras = cameras;
      if (busy) one.busy.add(busy);
    });
    await devices.begin(BOTH);
    await settle();
    expect(short()).toBe(expected);
  });

  it('tries again what failed, and only that', async () => {
    const { capture, devices, short } = person((one) => void one.busy.add('cam-a'));
    await devices.begin(BOTH);
    await settle();
    expect(short()).toBe('on live, off busy');
    capture.busy.clear();
    capture.asked.length = 0;
    devices.ask();
    await settle();
    expect(short()).toBe('on live, on live');
    expect(capture.asked).toEqual(['camera']);
  });

  it('says that a page over plain HTTP gets nothing', async () => {
    const { capture, devices, short } = person((one) => {
      one.obstacle = 'insecure';
    });
    await devices.begin(BOTH);
    expect(short()).toBe('off insecure, off insecure');
    expect(capture.asked).toEqual([]);
  });

  it('opens nothing that is to be muted', async () => {
    const { capture, devices, short } = person();
    await devices.begin({ microphone: false, camera: false, explained: false });
    expect(short()).toBe('off off, off off');
    expect(capture.live).toEqual([]);
  });
});

describe('muting', () => {
  it('really stops the camera, and opens it again', async () => {
    const { capture, devices, log } = person();
    await devices.begin(BOTH);
    log.length = 0;
    devices.toggleCamera();
    expect(capture.live).toEqual(['mic-a']);
    expect(log).toEqual(['camera none', 'camera muted']);
    devices.toggleCamera();
    await settle();
    expect(capture.live).toEqual(['mic-a', 'cam-a']);
    expect(log.slice(2)).toEqual(['camera track', 'camera unmuted']);
  });

  it('keeps the microphone and silences it', async () => {
    const { capture, devices, log } = person();
    await devices.begin(BOTH);
    log.length = 0;
    devices.toggleMicrophone();
    const [microphone] = capture.tracks;
    expect(microphone).toMatchObject({ enabled: false, readyState: 'live' });
    devices.toggleMicrophone();
    expect(microphone?.enabled).toBe(true);
    expect(log).toEqual(['microphone muted', 'microphone unmuted']);
  });

  it('in the middle of opening wins', async () => {
    const { capture, devices, short } = person();
    await devices.begin({ microphone: false, camera: false, explained: false });
    devices.toggleCamera();
    devices.toggleCamera();
    await settle();
    expect(short()).toBe('off off, off off');
    expect(capture.live).toEqual([]);
  });
});

describe('a device that goes', () => {
  it('is told as lost, and comes back by itself when one is plugged in', async () => {
    const { capture, devices, log, short } = person();
    await devices.begin(BOTH);
    log.length = 0;
    capture.cameras = [];
    capture.tracks.find((track) => track.device === 'cam-a')?.end();
    await settle();
    expect(short()).toBe('on live, off lost');
    expect(log).toContain('camera muted');
    capture.plug(() => {
      capture.cameras = ['cam-b'];
    });
    await settle();
    expect(short()).toBe('on live, on live');
    expect(devices.state.camera.selected).toBe('cam-b');
  });

  it('is replaced at once by another one that is there', async () => {
    const { capture, devices, short } = person((one) => {
      one.microphones = ['mic-a', 'mic-b'];
    });
    await devices.begin(BOTH);
    capture.microphones = ['mic-b'];
    capture.tracks.find((track) => track.device === 'mic-a')?.end();
    await settle();
    expect(short()).toBe('on live, on live');
    expect(devices.state.microphone.selected).toBe('mic-b');
  });

  it('by a change of mind of the person is denied and not tried again', async () => {
    const { capture, devices, short } = person();
    await devices.begin(BOTH);
    capture.permissions.camera = 'denied';
    capture.tracks.find((track) => track.device === 'cam-a')?.end();
    await settle();
    expect(short()).toBe('on live, off denied');
  });
});

describe('choosing', () => {
  it('switches at once and is remembered', async () => {
    const { capture, devices, remembered } = person((one) => {
      one.cameras = ['cam-a', 'cam-b'];
    });
    await devices.begin(BOTH);
    devices.selectCamera('cam-b');
    await settle();
    expect(capture.live).toEqual(['mic-a', 'cam-b']);
    expect(remembered.devices).toEqual({ camera: 'cam-b' });
    devices.end();
    expect(capture.live).toEqual([]);
    await devices.begin(BOTH);
    expect(capture.live).toEqual(['mic-a', 'cam-b']);
  });

  it('of a device that is gone falls back to the browser’s choice', async () => {
    const { devices, remembered } = person();
    remembered.devices = { camera: 'cam-old' };
    await devices.begin({ microphone: false, camera: true, explained: false });
    await settle();
    expect(devices.state.camera).toMatchObject({ status: 'live', selected: 'cam-a' });
    expect(remembered.devices).toEqual({});
  });
});

it('measures the level only while somebody looks and a microphone is open', async () => {
  const { devices, measured } = person();
  const stop = devices.level.subscribe(() => {});
  expect(measured).toEqual([]);
  await devices.begin(BOTH);
  expect(measured).toEqual(['start']);
  stop();
  expect(measured).toEqual(['start', 'stop']);
});
