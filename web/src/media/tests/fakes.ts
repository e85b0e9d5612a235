/** A peer connection and elements whose other end is the test. For tests only. */

import type { FakeClock } from '../../tests/clock.ts';
import type { MediaPorts } from '../media.ts';

export class FakeTransceiver {
  mid: string | null = null;
  readonly receiver = { track: {}, getSynchronizationSources: (): { rtpTimestamp: number }[] => [] };
  readonly sender = {
    track: null as unknown,
    replaceTrack: async (track: unknown): Promise<void> => {
      this.sender.track = track;
    },
    getParameters: () => ({ encodings: this.encodings.map((one) => ({ ...one })), codecs: this.codecs }),
    setParameters: async ({ encodings }: { encodings: RTCRtpEncodingParameters[] }): Promise<void> => {
      this.encodings = encodings;
      this.changes++;
    },
  };
  /** What was agreed. */
  readonly codecs = ['video/VP8', 'video/VP9', 'video/AV1'].map((mimeType) => ({ mimeType, clockRate: 90_000 }));
  /** How often the browser was asked to send otherwise. */
  changes = 0;

  constructor(
    readonly kind: string,
    readonly direction: string,
    public encodings: RTCRtpEncodingParameters[] = [],
  ) {}

  setCodecPreferences(): void {}

  /** What Chromium offers of a section that only receives. */
  extensions = [
    { uri: 'urn:3gpp:video-orientation', direction: 'sendrecv' },
    { uri: 'https://example.org/#dependency-descriptor-rtp-header-extension', direction: 'stopped' },
  ];

  getHeaderExtensionsToNegotiate(): { uri: string; direction: string }[] {
    return this.extensions;
  }

  setHeaderExtensionsToNegotiate(extensions: { uri: string; direction: string }[]): void {
    this.extensions = extensions;
  }
}

export class FakePeer {
  onconnectionstatechange: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  connectionState = 'new';
  iceConnectionState = 'new';
  signalingState = 'stable';
  localDescription: { sdp: string } | null = null;
  readonly transceivers: FakeTransceiver[] = [];
  readonly offers: { iceRestart: boolean; sections: number }[] = [];
  readonly answers: string[] = [];
  received = 0;

  addTransceiver(
    kind: string,
    init: { direction: string; sendEncodings?: RTCRtpEncodingParameters[] },
  ): FakeTransceiver {
    const transceiver = new FakeTransceiver(kind, init.direction, init.sendEncodings);
    this.transceivers.push(transceiver);
    return transceiver;
  }

  async createOffer({ iceRestart }: { iceRestart: boolean }): Promise<object> {
    this.offers.push({ iceRestart, sections: this.transceivers.length });
    return {};
  }

  async setLocalDescription(): Promise<void> {
    this.transceivers.forEach((transceiver, i) => {
      transceiver.mid = String(i);
    });
    this.localDescription = { sdp: `offer ${this.offers.length}` };
    this.signalingState = 'have-local-offer';
  }

  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.answers.push(sdp);
    this.signalingState = 'stable';
  }

  /** What the browser tells besides the path. */
  readonly streams = new Map<string, object>();

  async getStats(): Promise<Map<string, object>> {
    const pair = { type: 'candidate-pair', state: 'succeeded', bytesReceived: this.received };
    return new Map([['pair', pair], ...this.streams]);
  }

  close(): void {
    this.become('closed');
  }

  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

/** A video element, as far as it is looked at. */
export class FakeVideo {
  srcObject: unknown = null;
  muted = false;
  #callbacks: ((now: number, metadata: { rtpTimestamp: number }) => void)[] = [];

  async play(): Promise<void> {}

  requestVideoFrameCallback(callback: (now: number, metadata: { rtpTimestamp: number }) => void): number {
    return this.#callbacks.push(callback);
  }

  cancelVideoFrameCallback(): void {
    this.#callbacks = [];
  }

  draw(rtpTimestamp: number): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback(0, { rtpTimestamp });
  }

  get element(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }
}

export function fakePorts(clock: FakeClock, peers: FakePeer[]): MediaPorts {
  return {
    clock,
    random: () => 0.5,
    watchPressure: () => () => {},
    newPeer: () => {
      const peer = new FakePeer();
      peers.push(peer);
      return peer as unknown as RTCPeerConnection;
    },
    newStream: (track) => ({ track }) as unknown as MediaStream,
    receiveCapabilities: () => null,
  };
}
