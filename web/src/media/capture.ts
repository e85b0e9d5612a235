/**
 * Camera, microphone and screen as the browser gives them: permission, opening, listing. Turns every way in which a
 * browser says no into one of a few problems. Keeps no state.
 */

import { SCREEN_SHAPES, type ScreenMode } from './encodings.ts';

export type CaptureKind = 'microphone' | 'camera';

export type CaptureProblem = 'denied' | 'missing' | 'busy' | 'lost' | 'insecure' | 'unsupported' | 'failed';

export class CaptureError extends Error {
  override readonly name = 'CaptureError';

  constructor(readonly problem: CaptureProblem) {
    super(problem);
  }
}

export interface DeviceInfo {
  readonly id: string;
  readonly label: string;
}

export interface DeviceList {
  readonly microphones: readonly DeviceInfo[];
  readonly cameras: readonly DeviceInfo[];
  readonly speakers: readonly DeviceInfo[];
}

export type Facing = 'user' | 'environment';

export interface CaptureChoice {
  readonly device?: string;
  readonly facing?: Facing;
  /** The microphone picks up music: nothing is taken out of it, and it may be stereo. */
  readonly music?: boolean;
}

/** What the model knows of the browser's devices. */
export interface Capture {
  /** Set when there is no way to open anything here. */
  readonly obstacle: 'insecure' | 'unsupported' | undefined;
  readonly canShareScreen: boolean;
  permission(kind: CaptureKind): Promise<'granted' | 'denied' | 'prompt'>;
  /** One question of the browser for all that is wanted. Rejects with a `CaptureError`. */
  open(wanted: ReadonlyMap<CaptureKind, CaptureChoice>): Promise<ReadonlyMap<CaptureKind, MediaStreamTrack>>;
  list(): Promise<DeviceList>;
  onDevicesChanged(callback: () => void): void;
  /** The screen, and its sound where the browser gives it. */
  openScreen(mode: ScreenMode): Promise<{ video: MediaStreamTrack; audio?: MediaStreamTrack }>;
}

export class BrowserCapture implements Capture {
  readonly obstacle: 'insecure' | 'unsupported' | undefined;
  readonly #navigator: Navigator;
  readonly #devices: MediaDevices | undefined;

  constructor(browser: Navigator, secure: boolean) {
    this.#navigator = browser;
    // Absent on pages over plain HTTP, whatever the types say.
    this.#devices = browser.mediaDevices as MediaDevices | undefined;
    if (this.#devices?.getUserMedia) this.obstacle = undefined;
    else this.obstacle = secure ? 'unsupported' : 'insecure';
  }

  get canShareScreen(): boolean {
    return typeof this.#devices?.getDisplayMedia === 'function';
  }

  async permission(kind: CaptureKind): Promise<'granted' | 'denied' | 'prompt'> {
    try {
      const status = await this.#navigator.permissions.query({ name: kind });
      return status.state;
    } catch {
      return 'prompt';
    }
  }

  async open(wanted: ReadonlyMap<CaptureKind, CaptureChoice>): Promise<ReadonlyMap<CaptureKind, MediaStreamTrack>> {
    if (!this.#devices || this.obstacle) throw new CaptureError(this.obstacle ?? 'unsupported');
    const microphone = wanted.get('microphone');
    const camera = wanted.get('camera');
    try {
      const stream = await this.#devices.getUserMedia({
        audio: microphone ? audioConstraints(microphone) : false,
        video: camera ? videoConstraints(camera) : false,
      });
      const tracks = new Map<CaptureKind, MediaStreamTrack>();
      for (const track of stream.getTracks()) tracks.set(track.kind === 'audio' ? 'microphone' : 'camera', track);
      return tracks;
    } catch (error) {
      throw new CaptureError(problemOf(error));
    }
  }

  async list(): Promise<DeviceList> {
    const all = (await this.#devices?.enumerateDevices().catch(() => [])) ?? [];
    const of = (kind: MediaDeviceKind): DeviceInfo[] =>
      all
        .filter((one) => one.kind === kind && one.deviceId !== '')
        .map((one) => ({ id: one.deviceId, label: one.label }));
    const canRoute = 'setSinkId' in HTMLMediaElement.prototype;
    return {
      microphones: of('audioinput'),
      cameras: of('videoinput'),
      speakers: canRoute ? of('audiooutput') : [],
    };
  }

  onDevicesChanged(callback: () => void): void {
    this.#devices?.addEventListener?.('devicechange', callback);
  }

  async openScreen(mode: ScreenMode): Promise<{ video: MediaStreamTrack; audio?: MediaStreamTrack }> {
    if (!this.#devices || !this.canShareScreen) throw new CaptureError(this.obstacle ?? 'unsupported');
    try {
      const stream = await this.#devices.getDisplayMedia({
        video: screenConstraints(mode),
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 2 } },
      });
      const [video] = stream.getVideoTracks();
      const [audio] = stream.getAudioTracks();
      if (!video) throw new CaptureError('failed');
      hint(video, mode);
      return audio ? { video, audio } : { video };
    } catch (error) {
      throw error instanceof CaptureError ? error : new CaptureError(problemOf(error));
    }
  }
}

/** A screen that is shared already, in another mode. What the browser cannot change stays as it is. */
export async function shapeScreen(video: MediaStreamTrack, mode: ScreenMode): Promise<void> {
  hint(video, mode);
  await video.applyConstraints(screenConstraints(mode)).catch(() => {});
}

function screenConstraints(mode: ScreenMode): MediaTrackConstraints {
  const { width, height, fps } = SCREEN_SHAPES[mode];
  return { width: { max: width }, height: { max: height }, frameRate: { ideal: fps, max: fps } };
}

/** Whether browsers save in sharpness or in frames when they must. */
function hint(video: MediaStreamTrack, mode: ScreenMode): void {
  if ('contentHint' in video) video.contentHint = mode === 'text' ? 'text' : 'motion';
}

function audioConstraints({ device, music = false }: CaptureChoice): MediaTrackConstraints {
  return {
    echoCancellation: !music,
    noiseSuppression: !music,
    autoGainControl: !music,
    ...(music ? { channelCount: { ideal: 2 } } : {}),
    ...(device ? { deviceId: { exact: device } } : {}),
  };
}

function videoConstraints({ device, facing }: CaptureChoice): MediaTrackConstraints {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30, max: 30 },
    ...(device ? { deviceId: { exact: device } } : { facingMode: facing ?? 'user' }),
  };
}

function problemOf(error: unknown): CaptureProblem {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}
