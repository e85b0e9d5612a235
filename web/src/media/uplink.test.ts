import { describe, expect, it } from 'vitest';
import type { Source } from '../protocol/generated.ts';
import { settle } from '../tests/clock.ts';
import { CAMERA_ENCODINGS, type Offered, SCREEN_ENCODINGS } from './encodings.ts';
import { FakeTransceiver } from './tests/fakes.ts';
import { ALL_WISHES, Uplink } from './uplink.ts';

class Scene {
  readonly camera: FakeTransceiver;
  readonly screen = new FakeTransceiver('video', 'sendonly', [...SCREEN_ENCODINGS]);
  readonly microphone = new FakeTransceiver('audio', 'sendonly');
  readonly uplink: Uplink;

  constructor(cameraEncodings: readonly RTCRtpEncodingParameters[] = CAMERA_ENCODINGS) {
    this.camera = new FakeTransceiver('video', 'sendonly', [...cameraEncodings]);
    const { camera, screen, microphone } = this;
    const sections = { camera, screen, microphone, screen_audio: microphone };
    this.uplink = new Uplink(sections as unknown as Readonly<Record<Source, RTCRtpTransceiver>>);
  }

  /** What the camera sends. */
  get sent(): string {
    return this.camera.encodings.map(({ rid, active }) => `${rid}${active ? '+' : '-'}`).join(' ');
  }

  async want(...layers: string[]): Promise<void> {
    const demand = layers.length > 0 ? [{ source: 'camera' as const, layers }] : [];
    this.uplink.follow({ ...ALL_WISHES, line: 2, demand });
    await settle();
  }
}

function track(width = 1280, height = 720): MediaStreamTrack {
  return { kind: 'video', getSettings: () => ({ width, height }) } as unknown as MediaStreamTrack;
}

it('layers sleep and wake with the demand', async () => {
  const scene = new Scene();
  await scene.uplink.setTrack('camera', track());
  expect(scene.sent).toBe('q+ h+ f+');
  await scene.want('f');
  expect(scene.sent).toBe('q- h- f+');
  await scene.want();
  expect(scene.sent).toBe('q- h- f-');
  await scene.want('q', 'h');
  expect(scene.sent).toBe('q+ h+ f-');
});

it('the browser is asked only for what differs', async () => {
  const scene = new Scene();
  await scene.uplink.setTrack('camera', track());
  expect(scene.camera.changes).toBe(0);
  await scene.want('f');
  await scene.want('f');
  expect([scene.camera.changes, scene.microphone.changes]).toEqual([1, 0]);
});

it('another camera keeps to the demand and to its own size, in the order in which it all came', async () => {
  const scene = new Scene();
  const first = scene.uplink.setTrack('camera', track());
  const second = scene.uplink.setTrack('camera', track(640, 360));
  scene.uplink.follow({ ...ALL_WISHES, demand: [{ source: 'camera', layers: ['q', 'f'] }] });
  await Promise.all([first, second]);
  await settle();
  expect(scene.sent).toBe('q+ h+ f-');
  expect(scene.camera.encodings.map((one) => one.scaleResolutionDownBy)).toEqual([2, 1, 1]);
});

it('a browser that refuses once is asked again with the next demand', async () => {
  const scene = new Scene();
  await scene.uplink.setTrack('camera', track());
  const { setParameters } = scene.camera.sender;
  scene.camera.sender.setParameters = async () => {
    throw new Error('in the middle of something');
  };
  await scene.want('q');
  expect(scene.sent).toBe('q+ h+ f+');
  scene.camera.sender.setParameters = setParameters;
  await scene.want('q');
  expect(scene.sent).toBe('q+ h- f-');
});

it('without layers the one encoding is the largest that is wanted', async () => {
  const scene = new Scene([{}]);
  await scene.uplink.setTrack('camera', track());
  await scene.want('h');
  expect(scene.camera.encodings).toMatchObject([{ active: true, scaleResolutionDownBy: 2 }]);
  scene.uplink.follow({ ...ALL_WISHES, demand: [{ source: 'camera', layers: [] }] });
  await settle();
  expect(scene.camera.encodings).toMatchObject([{ active: true, scaleResolutionDownBy: 1 }]);
  await scene.want();
  expect(scene.camera.encodings).toMatchObject([{ active: false, scaleResolutionDownBy: 1 }]);
});

it('a screen follows its mode', async () => {
  const scene = new Scene();
  await scene.uplink.setTrack('screen', track(2560, 1440));
  scene.uplink.follow({ ...ALL_WISHES, screenMode: 'motion' });
  await settle();
  expect(scene.screen.encodings.map((one) => one.maxFramerate)).toEqual([30, 30]);
});

it('whoever may be come to keeps the smallest layer of the camera awake beside what is wanted', async () => {
  const scene = new Scene();
  await scene.uplink.setTrack('camera', track());
  await scene.uplink.setTrack('screen', track());
  scene.uplink.follow({ ...ALL_WISHES, line: 2, demand: [], greets: true });
  await settle();
  expect(scene.sent).toBe('q+ h- f-');
  expect(scene.screen.encodings.map(({ active }) => active)).toEqual([false, false]);
  scene.uplink.follow({ ...ALL_WISHES, line: 2, demand: [{ source: 'camera', layers: ['h'] }], greets: true });
  await settle();
  expect(scene.sent).toBe('q+ h+ f-');
});

describe('a house that wants VP9', () => {
  /** Codec and mode of every encoding that is on. */
  const shown = (scene: Scene): string =>
    (scene.camera.encodings as Offered[])
      .filter(({ active }) => active)
      .map(({ rid, codec, scalabilityMode }) => `${rid} ${codec?.mimeType} ${scalabilityMode}`)
      .join(', ');

  async function want(scene: Scene, layers: string[], codec?: 'vp9' | 'av1'): Promise<void> {
    const demand = [{ source: 'camera' as const, layers, ...(codec ? { codec } : {}) }];
    scene.uplink.follow({ ...ALL_WISHES, line: 2, demand });
    await settle();
  }

  it.each([
    ['vp9' as const, 'video/VP9'],
    ['av1' as const, 'video/AV1'],
  ])('gets all sizes of %s in one stream, and VP8 again when somebody needs that', async (codec, type) => {
    const scene = new Scene();
    await scene.uplink.setTrack('camera', track());
    await want(scene, ['q', 'f'], codec);
    expect(shown(scene)).toBe(`q ${type} L3T3_KEY`);
    await want(scene, ['f'], codec);
    expect(shown(scene)).toBe(`f ${type} L1T3`);
    await want(scene, ['q', 'f']);
    expect(shown(scene)).toBe('q video/VP8 L1T3, f video/VP8 L1T3');
  });

  it('gets VP8 of a browser that knows nothing of sizes in one stream', async () => {
    const scene = new Scene(CAMERA_ENCODINGS.map(({ rid = '', active = true }) => ({ rid, active })));
    await scene.uplink.setTrack('camera', track());
    await want(scene, ['q', 'h'], 'vp9');
    expect(shown(scene)).toBe('q undefined undefined, h undefined undefined');
  });

  it('gets VP8 of a browser that cannot do what it says', async () => {
    const scene = new Scene();
    await scene.uplink.setTrack('camera', track());
    const { setParameters } = scene.camera.sender;
    scene.camera.sender.setParameters = (parameters) =>
      parameters.encodings.some((one: Offered) => one.codec)
        ? Promise.reject(new Error('no'))
        : setParameters(parameters);
    await want(scene, ['q', 'h'], 'vp9');
    expect(shown(scene)).toBe('q undefined L1T3, h undefined L1T3');
  });
});
