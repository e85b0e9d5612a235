/**
 * One RTCPeerConnection with fixed places: four sections up, and pairs of one audio and one video section down. Makes
 * offers, takes answers, and tells how the transport is; when to do so is decided in `media.ts`.
 */

import type { SlotKind, SlotMids, Source, UplinkMids } from '../protocol/generated.ts';
import { withStartBitrate } from './answer.ts';
import { audioCodecs, CAMERA_ENCODINGS, SCREEN_ENCODINGS, videoCodecs } from './encodings.ts';
import { playingStereo, sendingMusic } from './sound_sdp.ts';
import { readSample, type Sample } from './stats.ts';
import { Uplink } from './uplink.ts';

export const SCREEN_SLOTS = 2;
export const FIRST_PERSON_SLOTS = 6;
/** How the name of the header extension ends. */
const DESCRIPTOR = '#dependency-descriptor-rtp-header-extension';
const SOURCES: readonly Source[] = ['microphone', 'camera', 'screen', 'screen_audio'];

/** The browser's constructors, handed in once. */
export interface PeerPorts {
  newPeer(): RTCPeerConnection;
  newStream(track: MediaStreamTrack): MediaStream;
  receiveCapabilities(kind: 'audio' | 'video'): RTCRtpCapabilities | null;
}

/** Header extensions of a section, where a browser lets one choose. */
interface Extensible {
  getHeaderExtensionsToNegotiate(): HeaderExtension[];
  setHeaderExtensionsToNegotiate(extensions: HeaderExtension[]): void;
}

interface HeaderExtension {
  readonly uri: string;
  readonly direction: RTCRtpTransceiverDirection;
}

/** One down slot as it stands in this connection. */
export interface Pair {
  readonly kind: SlotKind;
  readonly audio: RTCRtpTransceiver;
  readonly video: RTCRtpTransceiver;
  readonly audioStream: MediaStream;
  readonly videoStream: MediaStream;
}

export interface LinkOffer {
  readonly sdp: string;
  readonly uplink: UplinkMids;
  readonly slots: SlotMids[];
}

export class Link {
  readonly #ports: PeerPorts;
  readonly #peer: RTCPeerConnection;
  readonly #sections: Readonly<Record<Source, RTCRtpTransceiver>>;
  readonly uplink: Uplink;
  readonly pairs: Pair[] = [];
  /** The server's name for this connection, once it answered. */
  connection: string | undefined;
  #restartWanted = false;
  /** One description after the other: a second one beside a first names other sections, and browsers refuse it. */
  #turn: Promise<unknown> = Promise.resolve();
  #answer: string | undefined;
  #music = false;
  #retuning = false;

  constructor(ports: PeerPorts, personSlots: number, onState: () => void) {
    this.#ports = ports;
    const peer = ports.newPeer();
    this.#peer = peer;
    peer.onconnectionstatechange = onState;
    peer.oniceconnectionstatechange = onState;
    this.#sections = {
      microphone: this.#add('audio', 'sendonly'),
      camera: this.#add('video', 'sendonly', CAMERA_ENCODINGS),
      screen: this.#add('video', 'sendonly', SCREEN_ENCODINGS),
      screen_audio: this.#add('audio', 'sendonly'),
    };
    this.uplink = new Uplink(this.#sections);
    for (let i = 0; i < SCREEN_SLOTS; i++) this.#addPair('screen');
    for (let i = 0; i < personSlots; i++) this.#addPair('person');
  }

  /** `down`: this connection will not come back by itself. */
  get transport(): 'new' | 'connected' | 'shaky' | 'down' {
    const { connectionState, iceConnectionState } = this.#peer;
    if (connectionState === 'closed' || connectionState === 'failed' || iceConnectionState === 'failed') return 'down';
    if (iceConnectionState === 'disconnected' || connectionState === 'disconnected') return 'shaky';
    return connectionState === 'connected' ? 'connected' : 'new';
  }

  /** An offer waits for its answer. */
  get offering(): boolean {
    return !this.#retuning && this.#peer.signalingState === 'have-local-offer';
  }

  get personSlots(): number {
    return this.pairs.length - SCREEN_SLOTS;
  }

  /** Room for more people; takes effect with the next offer. */
  grow(personSlots: number): void {
    while (this.personSlots < personSlots) this.#addPair('person');
  }

  restartIce(): void {
    this.#restartWanted = true;
  }

  /** The offer that waits for an answer, or a new one. */
  async offer(): Promise<LinkOffer> {
    await this.#next(() => this.#describe());
    const up = this.#sections;
    return {
      sdp: this.#peer.localDescription?.sdp ?? '',
      uplink: {
        microphone: mid(up.microphone),
        camera: mid(up.camera),
        screen: mid(up.screen),
        screen_audio: mid(up.screen_audio),
      },
      slots: this.pairs.map(({ kind, audio, video }) => ({ kind, audio: mid(audio), video: mid(video) })),
    };
  }

  async answer(sdp: string, connection: string): Promise<void> {
    this.connection = connection;
    this.#answer = sdp;
    await this.#next(() => this.#takeAnswer(sdp));
  }

  /** Whether the microphone sends music: stereo and without pauses. Known to this end alone, so nobody is asked. */
  async setMusic(music: boolean): Promise<void> {
    if (music === this.#music) return;
    this.#music = music;
    await this.#next(async () => {
      const answer = this.#answer;
      // Otherwise the answer that is awaited brings it.
      if (answer === undefined || this.offering || this.#hasNewSections()) return;
      this.#retuning = true;
      try {
        await this.#describe();
        await this.#takeAnswer(answer);
      } finally {
        this.#retuning = false;
      }
    });
  }

  /** What the browser measures of this connection now. */
  async sample(now: () => number): Promise<Sample> {
    const report = await this.#peer.getStats();
    return readSample(report as unknown as ReadonlyMap<string, Record<string, unknown>>, now(), {
      connection: this.connection,
      source: (mid) => SOURCES.find((source) => this.#sections[source].mid === mid),
      slot: (mid, track) => {
        const isSection = ({ mid: own, receiver }: RTCRtpTransceiver): boolean =>
          mid === undefined ? receiver.track.id === track : own === mid;
        const index = this.pairs.findIndex(({ audio, video }) => isSection(audio) || isSection(video));
        return index < 0 ? undefined : index;
      },
    });
  }

  close(): void {
    this.#peer.onconnectionstatechange = null;
    this.#peer.oniceconnectionstatechange = null;
    this.#peer.close();
  }

  async #describe(): Promise<void> {
    if (this.#peer.signalingState === 'have-local-offer') return;
    const iceRestart = this.#restartWanted;
    this.#restartWanted = false;
    const { type, sdp = '' } = await this.#peer.createOffer({ iceRestart });
    await this.#peer.setLocalDescription({ type, sdp: playingStereo(sdp) });
  }

  async #takeAnswer(answer: string): Promise<void> {
    const sdp = this.#music ? sendingMusic(answer, mid(this.#sections.microphone)) : answer;
    await this.#peer.setRemoteDescription({ type: 'answer', sdp: withStartBitrate(sdp) });
  }

  #next(act: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** More slots than the other side has heard of, or a restart that is still to be offered. */
  #hasNewSections(): boolean {
    return this.#restartWanted || this.pairs.some(({ video }) => video.mid === null);
  }

  #addPair(kind: SlotKind): void {
    const audio = this.#add('audio', 'recvonly');
    const video = this.#add('video', 'recvonly');
    this.pairs.push({
      kind,
      audio,
      video,
      audioStream: this.#ports.newStream(audio.receiver.track),
      videoStream: this.#ports.newStream(video.receiver.track),
    });
  }

  #add(
    kind: 'audio' | 'video',
    direction: 'sendonly' | 'recvonly',
    encodings: readonly RTCRtpEncodingParameters[] = [],
  ): RTCRtpTransceiver {
    const transceiver = this.#transceiver(kind, direction, encodings);
    if (kind === 'video' && direction === 'recvonly') understandLayers(transceiver);
    const capabilities = this.#ports.receiveCapabilities(kind);
    const codecs = kind === 'video' ? videoCodecs(capabilities) : audioCodecs(capabilities);
    // Browsers without codec preferences offer all they have; the server picks.
    if (codecs.length > 0 && 'setCodecPreferences' in transceiver) transceiver.setCodecPreferences(codecs);
    return transceiver;
  }

  #transceiver(
    kind: 'audio' | 'video',
    direction: 'sendonly' | 'recvonly',
    encodings: readonly RTCRtpEncodingParameters[],
  ): RTCRtpTransceiver {
    if (encodings.length === 0) return this.#peer.addTransceiver(kind, { direction });
    try {
      return this.#peer.addTransceiver(kind, { direction, sendEncodings: encodings.map((one) => ({ ...one })) });
    } catch {
      // A browser that knows a field and not this value of it: the rest is set before anything is sent.
      return this.#peer.addTransceiver(kind, { direction, sendEncodings: encodings.map(({ rid = '' }) => ({ rid })) });
    }
  }
}

/** Chromium offers the dependency descriptor unasked only where it sends; there are no layers of AV1 without it. */
function understandLayers(transceiver: RTCRtpTransceiver & Partial<Extensible>): void {
  const known = transceiver.getHeaderExtensionsToNegotiate?.() ?? [];
  const is = ({ uri }: HeaderExtension): boolean => uri.endsWith(DESCRIPTOR);
  if (!known.some(is)) return;
  transceiver.setHeaderExtensionsToNegotiate?.(known.map((one) => (is(one) ? { ...one, direction: 'sendrecv' } : one)));
}

function mid(transceiver: RTCRtpTransceiver): string {
  return transceiver.mid ?? '';
}
