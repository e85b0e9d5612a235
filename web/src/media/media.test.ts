import { describe, expect, it } from 'vitest';
import type { RoomView, Slot } from '../protocol/generated.ts';
import { FakeClock, settle } from '../tests/clock.ts';
import type { LinkOffer } from './link.ts';
import { Media } from './media.ts';
import { type FakePeer, FakeVideo, fakePorts } from './tests/fakes.ts';

type Sent = LinkOffer & { connection?: string };

class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

class Scene {
  readonly clock = new FakeClock();
  readonly peers: FakePeer[] = [];
  readonly offers: Sent[] = [];
  readonly ready: string[] = [];
  readonly log: string[] = [];
  /** What the server answers to the next offers; a code refuses. */
  answers: (string | Refused)[] = [];
  participants = ['me', 'ann'];
  readonly media = new Media(fakePorts(this.clock, this.peers), {
    flowing: (flowing) => this.log.push(flowing ? 'flows' : 'stands'),
    obstructed: (obstructed) => this.log.push(obstructed ? 'obstructed' : 'open'),
    visible: (key, visible) => this.log.push(`${key} ${visible ? 'visible' : 'hidden'}`),
    soundBlocked: () => {},
    bears: ({ layers, fps }, less) => this.log.push(`bears ${less ? 'only ' : ''}${layers} layers, ${fps} frames`),
  });

  get peer(): FakePeer {
    const peer = this.peers.at(-1);
    if (!peer) throw new Error('no peer connection');
    return peer;
  }

  connect(): void {
    this.media.connect({
      offer: async (offer) => {
        this.offers.push(offer);
        const answer = this.answers.shift() ?? 'c-1';
        if (answer instanceof Refused) throw answer;
        return { sdp: `answer ${answer}`, connection: answer };
      },
      slotReady: (slot, generation) => this.ready.push(`${slot}:${generation}`),
      noPicture: (slot, generation) => this.log.push(`no picture in ${slot}:${generation}`),
    });
  }

  follow(connection: string | undefined, ...slots: Slot[]): void {
    const view: RoomView = {
      id: 'r',
      name: 'r',
      access: 'accounts',
      kind: 'named',
      knock: false,
      owner: false,
      knocking: [],
      you: 'me',
      participants: this.participants.map((id) => ({
        id,
        name: id,
        guest: false,
        presence: 'connected',
        tracks: [{ source: 'camera', muted: false }],
        joined_at: 0,
      })),
      speaking: [],
      slots,
      demand: [],
      ...(connection === undefined ? {} : { connection }),
    };
    this.media.follow(view);
  }

  /** Connected, and the server knows it. */
  async up(): Promise<this> {
    this.connect();
    await settle();
    this.peer.become('connected');
    this.follow('c-1');
    return this;
  }

  /** Time in which the path stays alive. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.peer.received++;
      await this.clock.pass(500);
    }
  }
}

/** Slot 0 and 1 are for screens. */
function slot(number: number, generation: number, participant?: string, first?: number): Slot {
  return {
    slot: number,
    generation,
    ...(participant ? { participant } : {}),
    ...(first === undefined ? {} : { first_rtp_timestamp: first }),
  };
}

describe('at the door', () => {
  const arrival = { sdp: 'answer c-0', connection: 'c-0' };

  it('comes up without a track, and the seat needs no other offer', async () => {
    const scene = new Scene();
    const track = { getSettings: () => ({}) } as MediaStreamTrack;
    scene.media.setTrack('camera', track);
    await scene.media.arrive(async () => arrival);
    scene.peer.become('connected');
    expect(scene.media.prepared).toBe(true);
    const sent = (): unknown[] => scene.peer.transceivers.map((one) => one.sender.track).filter((one) => one !== null);
    expect(sent()).toEqual([]);
    scene.connect();
    scene.follow('c-0', slot(2, 1, 'ann'));
    await settle();
    expect(sent()).toEqual([track]);
    expect(scene.offers).toEqual([]);
    expect(scene.peers.length).toBe(1);
    expect(scene.media.carries('person ann')).toBe(true);
    expect(scene.log[0]).toBe('flows');
  });

  it('offers the descriptor that layers of AV1 take wherever a picture is received', () => {
    const scene = new Scene();
    const pictures = scene.peer.transceivers.filter(
      ({ kind, direction }) => kind === 'video' && direction === 'recvonly',
    );
    const directions = pictures.map(({ extensions }) => extensions.map(({ direction }) => direction).join(' '));
    expect(new Set(directions)).toEqual(new Set(['sendrecv sendrecv']));
  });

  it('gives way to a new connection when the server has none for the seat', async () => {
    const scene = new Scene();
    await scene.media.arrive(async () => arrival);
    scene.peer.become('connected');
    scene.connect();
    scene.follow(undefined);
    await settle();
    expect(scene.peers.length).toBe(2);
    expect(scene.offers.length).toBe(1);
  });

  it('is made ready again, without the server, when it has ended or broken', async () => {
    const scene = new Scene();
    await scene.media.arrive(async () => arrival);
    scene.media.unprepare();
    await settle();
    expect([scene.media.prepared, scene.peers.length, scene.peer.offers.length]).toEqual([false, 2, 1]);
    await scene.media.arrive(async () => arrival);
    scene.peer.become('connected');
    expect(scene.media.prepared).toBe(true);
    scene.peer.become('disconnected');
    expect(scene.media.prepared).toBe(false);
    scene.connect();
    await settle();
    expect(scene.peers.length).toBe(3);
    expect(scene.offers.length).toBe(1);
  });

  it('that ends while the browser takes its answer leaves whoever enters another one', async () => {
    const scene = new Scene();
    void scene.media.prepare();
    await settle();
    // A browser does not come back to whoever waits for a connection that was closed.
    scene.peer.setRemoteDescription = () => new Promise(() => {});
    void scene.media.arrive(async () => arrival);
    await settle();
    scene.media.unprepare();
    scene.connect();
    await settle();
    expect(scene.offers.length).toBe(1);
    expect(scene.peer.answers).toEqual(['answer c-1']);
  });

  it('is used by whoever enters before the answer, which comes all the same', async () => {
    const scene = new Scene();
    let answer = (_: typeof arrival): void => {};
    const arriving = scene.media.arrive(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    await settle();
    scene.connect();
    scene.follow(undefined);
    answer(arrival);
    await arriving;
    scene.follow('c-0');
    await settle();
    expect(scene.offers).toEqual([]);
    expect(scene.peer.answers).toEqual(['answer c-0']);
    expect(scene.peers.length).toBe(1);
  });

  it('costs whoever enters nothing when it is refused', async () => {
    const scene = new Scene();
    let refuse = (_: Error): void => {};
    const arriving = scene.media.arrive(
      () =>
        new Promise((_, reject) => {
          refuse = reject;
        }),
    );
    await settle();
    scene.connect();
    refuse(new Refused('not_admitted'));
    await expect(arriving).rejects.toThrow();
    await settle();
    expect(scene.offers.map(({ sdp }) => sdp)).toEqual(['offer 1']);
    expect(scene.peers.length).toBe(1);
  });
});

describe('the offer', () => {
  it('describes itself once, though the call begins before the preparation is over', async () => {
    const scene = new Scene();
    void scene.media.prepare();
    scene.connect();
    await settle();
    expect(scene.peers.length).toBe(1);
    expect(scene.peer.offers.length).toBe(1);
    expect(scene.offers.map(({ sdp }) => sdp)).toEqual(['offer 1']);
  });

  it('is made before it is needed, with four sections up and eight pairs down', async () => {
    const scene = new Scene();
    await scene.media.prepare();
    expect(scene.peer.offers).toEqual([{ iceRestart: false, sections: 20 }]);
    scene.connect();
    await settle();
    expect(scene.peer.offers.length).toBe(1);
    const [offer] = scene.offers;
    expect(offer?.uplink).toEqual({ microphone: '0', camera: '1', screen: '2', screen_audio: '3' });
    expect(offer?.slots.map((one) => one.kind).join()).toBe('screen,screen,person,person,person,person,person,person');
    expect(offer?.slots[2]).toEqual({ kind: 'person', audio: '8', video: '9' });
    expect(offer && 'connection' in offer).toBe(false);
    expect(scene.peer.answers).toEqual(['answer c-1']);
  });

  it('of music is made and answered by this end alone', async () => {
    const scene = new Scene();
    scene.media.setMusic(true);
    scene.connect();
    await settle();
    expect([scene.peer.offers.length, scene.peer.answers.length]).toEqual([1, 1]);
    scene.media.setMusic(false);
    scene.media.setMusic(true);
    await settle();
    expect([scene.peer.offers.length, scene.offers.length]).toEqual([3, 1]);
    expect(scene.peer.answers).toEqual(['answer c-1', 'answer c-1', 'answer c-1']);
    expect(scene.peer.signalingState).toBe('stable');
  });

  it('is sent again, the same one, when a waiting guest is admitted', async () => {
    const scene = new Scene();
    scene.answers = [new Refused('not_admitted')];
    scene.connect();
    await settle();
    await scene.pass(5_000);
    expect(scene.offers.length).toBe(1);
    scene.follow(undefined);
    await settle();
    expect(scene.offers.map((one) => one.sdp)).toEqual(['offer 1', 'offer 1']);
    expect(scene.peers.length).toBe(1);
    expect(scene.peer.answers).toEqual(['answer c-1']);
  });

  it('that nobody takes is not made over and over again', async () => {
    const scene = new Scene();
    scene.answers = [...Array(100)].map(() => new Refused('offline'));
    scene.connect();
    scene.follow(undefined);
    await settle();
    expect(scene.offers.length).toBe(1);
    await scene.clock.pass(10_000);
    expect(scene.offers.length).toBe(11);
    scene.answers = [];
    scene.media.setSignalling(false);
    scene.media.setSignalling(true);
    scene.follow(undefined);
    await settle();
    expect(scene.peer.answers).toEqual(['answer c-1']);
  });

  it('is made anew after a pause when the server makes no sense of it', async () => {
    const scene = new Scene();
    scene.answers = [new Refused('internal')];
    scene.connect();
    await settle();
    scene.follow(undefined);
    await settle();
    expect(scene.offers.length).toBe(1);
    await scene.pass(2_500);
    expect(scene.offers.length).toBe(2);
    expect(scene.peers.length).toBe(2);
  });

  it('grows in steps when more people are in than slots', async () => {
    const scene = await new Scene().up();
    scene.participants = ['me', ...'abcdefgh'];
    scene.follow('c-1');
    await settle();
    expect(scene.offers.length).toBe(2);
    expect(scene.offers[1]?.connection).toBe('c-1');
    expect(scene.offers[1]?.slots.length).toBe(14);
    expect(scene.offers[1]?.slots.slice(0, 8)).toEqual(scene.offers[0]?.slots);
    scene.participants = ['me', ...'abcdefghijklmnopqrstuvwxyzäöü'];
    scene.follow('c-1');
    await settle();
    expect(scene.offers[2]?.slots.length).toBe(27);
  });
});

it('an offer whose answer never came is made again, the same one', async () => {
  const scene = await new Scene().up();
  scene.answers = [new Refused('offline')];
  scene.participants = [...Array(9)].map((_, i) => (i === 0 ? 'me' : `p${i}`));
  scene.follow('c-1');
  await settle();
  expect(scene.offers.length).toBe(2);
  await scene.pass(2_000);
  expect(scene.offers.length).toBe(3);
  expect(scene.peer.answers.length).toBe(2);
  expect(scene.peers.length).toBe(1);
});

it('the offer grows only when the first handshake is through', async () => {
  const scene = new Scene();
  scene.connect();
  await settle();
  scene.participants = ['me', ...'abcdefgh'];
  scene.follow('c-1');
  await settle();
  expect(scene.offers.length).toBe(1);
  scene.peer.become('connected');
  await settle();
  expect(scene.offers[1]?.slots.length).toBe(14);
});

describe('another connection at the server', () => {
  it('is met by a new one of ours', async () => {
    const scene = await new Scene().up();
    scene.answers = ['c-2'];
    scene.follow(undefined);
    await settle();
    expect(scene.peers.map((peer) => peer.connectionState)).toEqual(['closed', 'new']);
    expect(scene.offers[1] && 'connection' in scene.offers[1]).toBe(false);
    expect(scene.peer.answers).toEqual(['answer c-2']);
  });

  it('is not believed while the word of ours is still on its way', async () => {
    const scene = new Scene();
    scene.connect();
    await settle();
    scene.follow(undefined);
    scene.follow(undefined);
    await settle();
    expect(scene.offers.length).toBe(1);
  });

  it('after a broken socket is judged by the next snapshot', async () => {
    const scene = await new Scene().up();
    scene.media.setSignalling(false);
    scene.media.setSignalling(true);
    scene.follow('c-1');
    await settle();
    expect(scene.offers.length).toBe(1);
    scene.media.setSignalling(false);
    scene.media.setSignalling(true);
    scene.follow(undefined);
    await settle();
    expect(scene.offers.length).toBe(2);
  });
});

describe('the path', () => {
  it('that goes quiet is restarted within two seconds, and given up when that does not help', async () => {
    const scene = await new Scene().up();
    await scene.pass(20_000);
    expect(scene.offers.length).toBe(1);
    await scene.clock.pass(2_000);
    expect(scene.peer.offers.at(-1)?.iceRestart).toBe(true);
    expect(scene.offers[1]?.connection).toBe('c-1');
    scene.answers = ['c-2'];
    await scene.clock.pass(3_500);
    expect(scene.peers.length).toBe(2);
    expect(scene.offers[2] && 'connection' in scene.offers[2]).toBe(false);
  });

  it('that comes back after a restart is kept', async () => {
    const scene = await new Scene().up();
    await scene.pass(5_000);
    await scene.clock.pass(2_000);
    expect(scene.offers.length).toBe(2);
    await scene.pass(20_000);
    expect(scene.peers.length).toBe(1);
    expect(scene.offers.length).toBe(2);
  });

  it('that may have changed is looked at more closely, and left alone while it lives', async () => {
    const scene = await new Scene().up();
    await scene.pass(5_000);
    scene.media.suspect();
    await scene.pass(5_000);
    expect(scene.offers.length).toBe(1);
    scene.media.suspect();
    await scene.clock.pass(1_000);
    expect(scene.peer.offers.at(-1)?.iceRestart).toBe(true);
  });

  it('that the browser calls shaky is restarted at once, a failed one replaced after a pause', async () => {
    const scene = await new Scene().up();
    scene.peer.become('disconnected');
    await settle();
    expect(scene.log.at(-1)).toBe('stands');
    expect(scene.peer.offers.at(-1)?.iceRestart).toBe(true);
    scene.peer.become('failed');
    await scene.clock.pass(3_500);
    expect(scene.peers.length).toBe(2);
    scene.peer.become('connected');
    expect(scene.log.at(-1)).toBe('flows');
  });

  it('over which nothing ever comes, though the server answers, is blamed within seconds', async () => {
    const scene = new Scene();
    scene.connect();
    await settle();
    scene.follow('c-1');
    await scene.clock.pass(4_000);
    expect(scene.log).not.toContain('obstructed');
    await scene.clock.pass(4_000);
    expect(scene.log.at(-1)).toBe('obstructed');
    scene.peer.become('connected');
    expect(scene.log.slice(-2)).toEqual(['flows', 'open']);
  });

  it('is not blamed for a server that does not answer', async () => {
    const scene = await new Scene().up();
    scene.media.setSignalling(false);
    scene.peer.become('disconnected');
    await scene.clock.pass(30_000);
    expect(scene.log).not.toContain('obstructed');
  });

  it('that does not come up is given up eight seconds after its answer, whatever was tried before', async () => {
    const scene = await new Scene().up();
    scene.peer.become('disconnected');
    scene.answers = ['c-1', 'c-2', 'c-3', 'c-4', 'c-5'];
    scene.peer.become('failed');
    await scene.clock.pass(3_500);
    for (const links of [2, 3, 4, 5]) {
      expect(scene.peers.length).toBe(links);
      scene.follow(`c-${links}`);
      let took = 0;
      for (; scene.peers.length === links && took < 20_000; took += 500) await scene.clock.pass(500);
      if (links > 2) expect(took).toBeGreaterThanOrEqual(8_000);
      expect(took).toBeLessThanOrEqual(9_000);
    }
  });

  it('that is dead when the socket is back is not offered to a server that may know nothing of it', async () => {
    const scene = await new Scene().up();
    await scene.pass(5_000);
    scene.media.setSignalling(false);
    await scene.clock.pass(5_000);
    scene.media.setSignalling(true);
    await scene.clock.pass(1_500);
    scene.peer.become('disconnected');
    await settle();
    expect(scene.offers.length).toBe(1);
    scene.follow(undefined);
    await settle();
    expect(scene.offers.map(({ connection }) => connection)).toEqual([undefined, undefined]);
    expect(scene.peers.length).toBe(2);
  });

  it.each([
    ['answers for another connection', 'c-2'],
    ['knows nothing of it', new Refused('no_media_connection')],
  ])('whose other end is gone is never mended: the server %s, and a new one is made', async (_, answer) => {
    const scene = await new Scene().up();
    const old = scene.peer;
    scene.answers = [answer, 'c-3'];
    scene.media.restart();
    await settle();
    expect(old.answers).toEqual(['answer c-1']);
    expect(scene.offers.map(({ connection }) => connection)).toEqual([undefined, 'c-1', undefined]);
    expect([scene.peers.length, scene.peer.answers]).toEqual([2, ['answer c-3']]);
    expect(scene.log.at(-1)).toBe('stands');
    scene.peer.become('connected');
    expect(scene.log.at(-1)).toBe('flows');
  });

  it('is left alone while the server cannot be spoken to', async () => {
    const scene = await new Scene().up();
    scene.media.setSignalling(false);
    await scene.clock.pass(30_000);
    expect(scene.offers.length).toBe(1);
    scene.media.setSignalling(true);
    scene.follow('c-1');
    await settle();
    expect(scene.peer.offers.at(-1)?.iceRestart).toBe(true);
  });
});

describe('a slot', () => {
  it('shows its person from the named frame on', async () => {
    const scene = await new Scene().up();
    const video = new FakeVideo();
    scene.media.output('person ann').video.attach(video.element);
    scene.follow('c-1', slot(2, 1, 'ann'));
    expect(video).toMatchObject({ muted: true });
    expect(video.srcObject).not.toBeNull();
    video.draw(100);
    expect(scene.log).not.toContain('person ann visible');
    scene.follow('c-1', slot(2, 1, 'ann', 200));
    video.draw(199);
    expect(scene.log).not.toContain('person ann visible');
    video.draw(200);
    expect(scene.log.at(-1)).toBe('person ann visible');
  });

  it('that gets another person takes the old picture off first, says so, and binds the new one', async () => {
    const scene = await new Scene().up();
    const [ann, ben] = [new FakeVideo(), new FakeVideo()];
    scene.media.output('person ann').video.attach(ann.element);
    scene.media.output('person ben').video.attach(ben.element);
    scene.follow('c-1', slot(2, 1, 'ann', 10));
    ann.draw(10);
    expect(scene.ready).toEqual([]);
    scene.follow('c-1', slot(2, 2, 'ben'));
    expect(ann.srcObject).toBeNull();
    expect(ben.srcObject).not.toBeNull();
    expect(scene.log.at(-1)).toBe('person ann hidden');
    expect(scene.ready).toEqual(['2:2']);
    scene.follow('c-1', slot(2, 2, 'ben', 900));
    ben.draw(500);
    expect(scene.log.at(-1)).toBe('person ann hidden');
    ben.draw(900);
    expect(scene.log.at(-1)).toBe('person ben visible');
    expect(scene.ready).toEqual(['2:2']);
  });

  it('says again that it is ready when the socket broke in between', async () => {
    const scene = await new Scene().up();
    scene.follow('c-1', slot(2, 2, 'ben'));
    scene.media.setSignalling(false);
    scene.media.setSignalling(true);
    scene.follow('c-1', slot(2, 2, 'ben'));
    expect(scene.ready).toEqual(['2:2', '2:2']);
    scene.follow('c-1', slot(2, 2, 'ben'));
    expect(scene.ready.length).toBe(2);
  });

  it('of the server’s is nothing while its connection is not ours', async () => {
    const scene = await new Scene().up();
    const video = new FakeVideo();
    scene.media.output('person ann').video.attach(video.element);
    scene.follow('c-other', slot(2, 1, 'ann', 1));
    expect(video.srcObject).toBeNull();
  });

  it('empties when its person goes', async () => {
    const scene = await new Scene().up();
    const video = new FakeVideo();
    scene.media.output('person ann').video.attach(video.element);
    scene.follow('c-1', slot(2, 1, 'ann', 1));
    video.draw(5);
    scene.follow('c-1', slot(2, 2));
    expect(video.srcObject).toBeNull();
    expect(scene.log.at(-1)).toBe('person ann hidden');
  });

  it('waits for the next frame after the camera was off', async () => {
    const scene = await new Scene().up();
    const video = new FakeVideo();
    scene.media.output('person ann').video.attach(video.element);
    scene.follow('c-1', slot(2, 1, 'ann', 1));
    video.draw(5);
    scene.media.expectFresh('person ann');
    expect(scene.log.at(-1)).toBe('person ann hidden');
    video.draw(9_000);
    expect(scene.log.at(-1)).toBe('person ann visible');
  });

  it('believes the receiver where a browser has no frame callbacks', async () => {
    const scene = await new Scene().up();
    const element = { srcObject: null, play: async () => {} };
    scene.media.output('person ann').video.attach(element as unknown as HTMLVideoElement);
    scene.follow('c-1', slot(2, 1, 'ann', 50));
    const receiver = scene.peer.transceivers[9]?.receiver;
    if (!receiver) throw new Error('no receiver');
    receiver.getSynchronizationSources = () => [{ rtpTimestamp: 49 }];
    await scene.pass(1_000);
    expect(scene.log).not.toContain('person ann visible');
    receiver.getSynchronizationSources = () => [{ rtpTimestamp: 50 }];
    await scene.clock.pass(100);
    expect(scene.log).not.toContain('person ann visible');
    await scene.clock.pass(300);
    expect(scene.log.at(-1)).toBe('person ann visible');
  });
});

describe('a picture that does not come', () => {
  it('is told to the server while somebody looks at it, and not when the line has no room for it', async () => {
    const scene = await new Scene().up();
    scene.follow('c-1', slot(2, 1, 'ann', 50));
    await scene.pass(5_000);
    expect(scene.log).not.toContain('no picture in 2:1');
    scene.media.looksAt(new Set(['person ann']));
    await scene.pass(4_000);
    expect(scene.log.filter((one) => one === 'no picture in 2:1').length).toBe(1);
    await scene.pass(3_000);
    expect(scene.log.filter((one) => one === 'no picture in 2:1').length).toBe(2);
    scene.follow('c-1', { ...slot(2, 1, 'ann', 50), paused: true });
    await scene.pass(9_000);
    expect(scene.log.filter((one) => one === 'no picture in 2:1').length).toBe(2);
  });

  it('and was paused is shown again with its next frame', async () => {
    const scene = await new Scene().up();
    const video = new FakeVideo();
    scene.media.output('person ann').video.attach(video.element);
    scene.follow('c-1', slot(2, 1, 'ann', 50));
    video.draw(60);
    scene.follow('c-1', { ...slot(2, 1, 'ann', 50), paused: true });
    expect(scene.media.paused('person ann')).toBe(true);
    expect(scene.log.at(-1)).toBe('person ann hidden');
    scene.follow('c-1', slot(2, 1, 'ann', 50));
    expect([scene.media.paused('person ann'), scene.log.at(-1)]).toEqual([false, 'person ann hidden']);
    video.draw(70);
    expect(scene.log.at(-1)).toBe('person ann visible');
  });
});

it('a device that does not keep up sends less, and says so', async () => {
  const scene = await new Scene().up();
  scene.peer.streams.set('q', {
    type: 'outbound-rtp',
    kind: 'video',
    mid: '1',
    rid: 'q',
    qualityLimitationReason: 'cpu',
  });
  await scene.pass(15_000);
  expect(scene.log.filter((one) => one.startsWith('bears'))).toEqual([
    'bears only 2 layers, 30 frames',
    'bears only 2 layers, 15 frames',
  ]);
});

it('a new connection sends all layers until the server says what is looked at', async () => {
  const scene = await new Scene().up();
  const track = { kind: 'video', getSettings: () => ({ width: 1280, height: 720 }) } as unknown as MediaStreamTrack;
  scene.media.setTrack('camera', track);
  await settle();
  const sent = (): string =>
    (scene.peer.transceivers[1]?.encodings ?? []).map(({ rid, active }) => `${rid}${active ? '+' : '-'}`).join(' ');
  expect(sent()).toBe('q- h- f-');
  scene.answers = ['c-2'];
  scene.follow(undefined);
  await settle();
  expect([scene.peers.length, sent()]).toEqual([2, 'q+ h+ f+']);
});
