/**
 * Eyes and ears inside a page. `installProbe` runs in the browser before the app does and adds `window.probe`; it looks at
 * the DOM as a person would (a tile is a `group` named after its person) and at the statistics of peer connections.
 */

/** @typedef {{ samples: number, concealed: number, frames: number, frozenSeconds: number, height: number, codec: string, videoBytes: number }} Quality */
/** @typedef {{ kind: string, rid: string, codec: string, bytes: number, frames: number, height: number }} Sent */

/**
 * @typedef {object} Probe
 * @property {() => string[]} tiles names of all tiles
 * @property {(name: string) => Promise<number | string>} barcode the number in a fresh visible frame, or why there is none
 * @property {(name: string) => Promise<{ hz: number, db: number } | string>} tone the loudest tone of a tile's sound, within a
 *   second or until one stands out
 * @property {() => Promise<{ srtp: string, state: string }[]>} transports of all living peer connections
 * @property {() => Promise<string[]>} protocols over which the living peer connections reach the server
 * @property {(name: string, kind: 'audio' | 'video') => Promise<number>} packets received for a tile so far
 * @property {() => Promise<Sent[]>} sent of every encoding so far
 * @property {() => string[]} hints what the pictures that are sent are meant for, where that was said
 * @property {(name: string) => Promise<number>} frameAt when a fresh frame of a tile was drawn, on the page's clock
 * @property {(name: string) => void} followSound notes from now on when sound of this tile arrives
 * @property {() => number[]} arrivals of the sound that is followed, Unix ms
 * @property {(name: string) => Promise<Quality>} quality of what a tile got so far
 * @property {(button: string) => void} timeFirstFrame arms the stop-watch: click on the button to first remote frame
 * @property {() => number | null} firstFrameMs
 * @property {() => string[]} way what happened when between that click and that frame
 * @property {(side: 'mouth' | 'ear', name: string, ms: number, most: number) => Promise<number[]>} onsets when tones began, Unix
 *   ms; not more than so many
 */

export function installProbe() {
  /** @type {RTCPeerConnection[]} */
  const connections = [];
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      connections.push(this);
    }
  };
  const living = () => connections.filter((connection) => connection.connectionState !== 'closed');

  /** A tone this loud, the same in so many looks, is the one that is there. */
  const CLEAR_DB = -50;
  const LOOKS_ALIKE = 3;
  /** @type {AudioContext | undefined} */
  let shared;
  const audioContext = async () => {
    shared ??= new AudioContext({ sampleRate: 48_000 });
    // Without a sound device Firefox never settles this.
    await Promise.race([shared.resume(), new Promise((resolve) => setTimeout(resolve, 1500))]);
    return shared;
  };

  const nameOf = (/** @type {Element} */ element) => {
    const by = element.getAttribute('aria-labelledby');
    const words = by
      ? by.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ')
      : (element.getAttribute('aria-label') ?? '');
    return words.trim().replace(/\s+/g, ' ');
  };
  const tileElements = () => [...document.querySelectorAll('[role=group]')].filter((group) => group.querySelector('audio'));
  const tile = (/** @type {string} */ name) => tileElements().find((element) => nameOf(element) === name);

  const visible = (/** @type {HTMLElement} */ element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };

  const freshFrame = (/** @type {HTMLVideoElement} */ video) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 2000);
      video.requestVideoFrameCallback(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });

  const readBarcode = (/** @type {HTMLVideoElement} */ video) => {
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 36;
    const drawing = canvas.getContext('2d', { willReadFrequently: true });
    if (!drawing) return 'no canvas';
    drawing.drawImage(video, 0, 0, 64, 36);
    let number = 0;
    for (let bit = 0; bit < 8; bit++) {
      const { data } = drawing.getImageData(bit * 8 + 2, 2, 4, 4);
      let sum = 0;
      for (let at = 0; at < data.length; at += 4) sum += (data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0);
      const light = sum / (data.length / 4) / 3;
      if (light > 90 && light < 165) return 'no barcode';
      if (light > 128) number |= 1 << bit;
    }
    return number;
  };

  const stats = async () => {
    const reports = await Promise.all(living().map((connection) => connection.getStats()));
    return reports.flatMap((report) => [...report.values()]);
  };

  const inbound = async (/** @type {string} */ name, /** @type {'audio' | 'video'} */ kind) => {
    const stream = tile(name)?.querySelector(kind)?.srcObject;
    const track = stream instanceof MediaStream ? stream.getTracks().find((one) => one.kind === kind) : undefined;
    const receiver = living().flatMap((connection) => connection.getReceivers()).find((one) => one.track === track);
    if (!receiver) throw new Error(`no ${kind} is attached to the tile of ${name}`);
    const report = await receiver.getStats();
    const found = [...report.values()].find((entry) => entry.type === 'inbound-rtp');
    return found && { ...found, codec: codecOf(report.get(found.codecId)) };
  };
  const codecOf = (/** @type {{ mimeType?: string } | undefined} */ codec) => codec?.mimeType?.split('/')[1] ?? '';

  /** @type {number | null} */
  let firstFrame = null;
  /** @type {[what: string, at: number][]} */
  let steps = [];
  const step = (/** @type {string} */ what, at = performance.now()) => steps.push([what, at]);
  const typeOf = (/** @type {unknown} */ text) => (typeof text === 'string' ? /"type":"(\w+)"/.exec(text)?.[1] : undefined);
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    /** @param {string | URL} url */
    constructor(url) {
      super(url);
      this.addEventListener('message', ({ data }) => step(`< ${typeOf(data)}`));
    }

    /** @param {Parameters<WebSocket['send']>[0]} data */
    send(data) {
      step(`> ${typeOf(data)}`);
      super.send(data);
    }
  };
  /** @type {number[]} */
  let arrivals = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let following;

  /** @type {Probe} */
  const probe = {
    tiles: () => tileElements().map(nameOf),

    async barcode(name) {
      const video = tile(name)?.querySelector('video');
      if (!video) return 'no tile';
      if (!visible(video)) return 'not visible';
      if (!(await freshFrame(video))) return 'no frames';
      return visible(video) ? readBarcode(video) : 'not visible';
    },

    async tone(name) {
      const audio = tile(name)?.querySelector('audio');
      if (!audio) return 'no tile';
      const stream = audio.srcObject;
      if (!(stream instanceof MediaStream) || stream.getAudioTracks().length === 0) return 'no sound attached';
      if (audio.paused || audio.muted || audio.volume === 0) return 'not playing';
      const context = await audioContext();
      if (context.state !== 'running') return 'no sound device';
      const source = context.createMediaStreamSource(stream);
      const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
      source.connect(analyser);
      const bins = new Float32Array(analyser.frequencyBinCount);
      const best = { hz: 0, db: -200 };
      let looksAlike = 0;
      const end = performance.now() + 1000;
      while (performance.now() < end && looksAlike < LOOKS_ALIKE) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        analyser.getFloatFrequencyData(bins);
        const loudest = bins.reduce((most, db, bin) => (bin >= 3 && db > (bins[most] ?? -200) ? bin : most), 3);
        const [db, hz] = [bins[loudest] ?? -200, (loudest * context.sampleRate) / analyser.fftSize];
        looksAlike = db > CLEAR_DB && Math.abs(hz - best.hz) < 10 ? looksAlike + 1 : 0;
        if (db > best.db) Object.assign(best, { hz, db });
      }
      source.disconnect();
      return { hz: Math.round(best.hz), db: Math.round(best.db) };
    },

    async transports() {
      const all = (await stats()).filter((entry) => entry.type === 'transport' && entry.dtlsState !== 'closed');
      return all.map((entry) => ({ srtp: entry.srtpCipher ?? '', state: entry.dtlsState ?? '' }));
    },

    async protocols() {
      const all = await stats();
      // Firefox marks the pair, Chromium names it in the transport.
      const chosen = new Set(all.flatMap((entry) => (entry.type === 'transport' ? [entry.selectedCandidatePairId] : [])));
      const pairs = all.filter((entry) => entry.type === 'candidate-pair' && (entry.selected || chosen.has(entry.id)));
      return pairs.map((pair) => all.find((entry) => entry.id === pair.localCandidateId)?.protocol ?? 'none');
    },

    async sent() {
      const entries = await stats();
      const all = entries.filter((entry) => entry.type === 'outbound-rtp');
      return all.map((entry) => ({
        codec: codecOf(entries.find(({ id }) => id === entry.codecId)),
        kind: entry.kind,
        rid: entry.rid ?? '',
        bytes: (entry.bytesSent ?? 0) + (entry.headerBytesSent ?? 0),
        frames: entry.framesSent ?? 0,
        height: entry.frameHeight ?? 0,
      }));
    },

    hints() {
      const senders = living().flatMap((connection) => connection.getSenders());
      return senders.map(({ track }) => (track?.kind === 'video' ? track.contentHint : '')).filter((hint) => hint !== '');
    },

    async frameAt(name) {
      const deadline = performance.now() + 8000;
      while (performance.now() < deadline) {
        const video = tile(name)?.querySelector('video');
        if (video && visible(video) && (await freshFrame(video))) return performance.now();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      throw new Error(`no frame of ${name}`);
    },

    async packets(name, kind) {
      return (await inbound(name, kind))?.packetsReceived ?? 0;
    },

    followSound(name) {
      clearInterval(following);
      arrivals = [];
      let before = 0;
      following = setInterval(async () => {
        const packets = await inbound(name, 'audio').then((entry) => entry?.packetsReceived ?? 0, () => 0);
        if (packets > 0 && packets !== before) arrivals.push(performance.timeOrigin + performance.now());
        if (packets > 0) before = packets;
      }, 40);
    },
    arrivals: () => arrivals,

    async quality(name) {
      const [sound, picture] = await Promise.all([inbound(name, 'audio'), inbound(name, 'video')]);
      return {
        samples: sound?.totalSamplesReceived ?? 0,
        // What fills silence that was never sent is not missed.
        concealed: (sound?.concealedSamples ?? 0) - (sound?.silentConcealedSamples ?? 0),
        frames: picture?.framesDecoded ?? 0,
        frozenSeconds: picture?.totalFreezesDuration ?? 0,
        height: picture?.frameHeight ?? 0,
        codec: picture?.codec ?? '',
        videoBytes: picture?.bytesReceived ?? 0,
      };
    },

    timeFirstFrame(button) {
      firstFrame = null;
      steps = [];
      /** @type {number | undefined} */
      let clicked;
      const click = (/** @type {Event} */ event) => {
        const target = event.target instanceof Element ? event.target.closest('button') : null;
        if (target?.textContent?.trim() === button || target?.getAttribute('aria-label') === button) {
          clicked = performance.now();
          step('click', clicked);
          document.removeEventListener('click', click, { capture: true });
        }
      };
      document.addEventListener('click', click, { capture: true });
      const watched = new WeakSet();
      const look = () => {
        for (const video of document.querySelectorAll('[role=group] video')) {
          if (watched.has(video) || !(video instanceof HTMLVideoElement)) continue;
          watched.add(video);
          step('tile');
          video.requestVideoFrameCallback((now, { receiveTime, processingDuration }) => {
            if (firstFrame === null && clicked !== undefined) firstFrame = now - clicked;
            if (receiveTime !== undefined) step('last packet', receiveTime);
            if (receiveTime !== undefined && processingDuration !== undefined) step('decoded', receiveTime + processingDuration * 1000);
            step('frame', now);
            observer.disconnect();
          });
        }
      };
      const observer = new MutationObserver(look);
      observer.observe(document, { childList: true, subtree: true });
    },
    firstFrameMs: () => firstFrame,
    way() {
      const clicked = steps.find(([what]) => what === 'click')?.[1] ?? 0;
      const frame = steps.find(([what]) => what === 'frame')?.[1] ?? Number.POSITIVE_INFINITY;
      const between = steps.filter(([, at]) => at >= clicked && at <= frame).toSorted((a, b) => a[1] - b[1]);
      return between.map(([what, at]) => `${what} ${Math.round(at - clicked)}`);
    },

    async onsets(side, name, ms, most) {
      const context = await audioContext();
      const senders = living().flatMap((connection) => connection.getSenders());
      const own = senders.map((sender) => sender.track).find((track) => track?.kind === 'audio');
      const remote = tile(name)?.querySelector('audio')?.srcObject;
      const stream = side === 'mouth' ? own && new MediaStream([own]) : remote;
      if (!(stream instanceof MediaStream)) throw new Error(`no sound at the ${side}`);
      const source = context.createMediaStreamSource(stream);
      const analyser = new AnalyserNode(context, { fftSize: 256 });
      source.connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      /** @type {number[]} */
      const found = [];
      let quietSince = performance.now();
      const end = performance.now() + ms;
      while (performance.now() < end && found.length < most) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        analyser.getFloatTimeDomainData(samples);
        const now = performance.now();
        if (samples.some((sample) => Math.abs(sample) > 0.02)) {
          if (now - quietSince > 80) found.push(performance.timeOrigin + now);
          quietSince = now;
        }
      }
      source.disconnect();
      return found;
    },
  };
  /** @type {Window & { probe?: Probe }} */ (window).probe = probe;
}
