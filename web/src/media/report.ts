/**
 * What a client tells the house of its own connection: sums up the samples of ten seconds into one report. Sends nothing
 * and judges nothing.
 */

import type { BrowserFamily, DeviceProblem, NetworkKind, QualityReport } from '../protocol/generated.ts';
import type { CaptureProblem } from './capture.ts';
import { type AudioInSample, growth, type Sample, type SampleListener, type VideoInSample } from './stats.ts';

export const REPORT_MS = 10_000;
/** Shorter ones say nothing. */
const LEAST_MS = 1_500;
/** A page that slept measured nothing meanwhile. */
const LONGEST_STEP_MS = 5_000;
/** Browsers begin low on every line: so long it says nothing that they hold back. */
const BEGIN_MS = 10_000;
const WHOLE = 1_000;

/** What the browser tells of itself. */
export interface ReportPorts {
  network(): NetworkKind | undefined;
  readonly browser: BrowserFamily;
}

/** Where samples come from. */
export interface Samples {
  subscribe(listener: SampleListener): () => void;
}

export class QualityReporter {
  readonly #ports: ReportPorts;
  readonly #report: (report: QualityReport) => void;
  readonly #now: (report: QualityReport, overTcp: boolean) => void;
  readonly #unsubscribe: () => void;
  #sums = new Sums();
  #before: Sample | undefined;
  /** The connection of now, as far as it was seen. */
  #begunAt = 0;
  #last: QualityReport | undefined;

  /** `report`: every ten seconds. `now`: with every sample, how it is at the moment. */
  constructor(
    samples: Samples,
    ports: ReportPorts,
    report: (report: QualityReport) => void,
    now: (report: QualityReport, overTcp: boolean) => void = () => {},
  ) {
    this.#ports = ports;
    this.#report = report;
    this.#now = now;
    this.#unsubscribe = samples.subscribe((sample) => this.#take(sample));
  }

  /** A microphone, a camera or a screen that could not be sent. */
  noteProblem(problem: CaptureProblem): void {
    this.#sums.problems.add(PROBLEMS[problem] ?? 'other');
  }

  /** What is left, for the moment of leaving. */
  end(): void {
    this.#unsubscribe();
    if (this.#sums.ms >= LEAST_MS || this.#sums.problems.size > 0) this.#report(this.#made());
    this.#sums = new Sums();
  }

  #take(sample: Sample): void {
    const before = this.#before;
    this.#before = sample;
    if (before && before.connection !== undefined && before.connection !== sample.connection) {
      this.#sums.restarts += 1;
      this.#begunAt = sample.at;
      return;
    }
    const ms = before ? sample.at - before.at : 0;
    if (!before?.path) this.#begunAt = sample.at;
    if (!before || !sample.path || ms <= 0 || ms > LONGEST_STEP_MS) return;
    this.#sums.add(before, sample, ms, sample.at - this.#begunAt <= BEGIN_MS);
    if (this.#sums.ms >= REPORT_MS) {
      this.#last = this.#made();
      this.#sums = new Sums();
      this.#report(this.#last);
    }
    const newest = this.#sums.ms >= LONGEST_STEP_MS || !this.#last ? this.#made() : this.#last;
    this.#now(newest, sample.path.protocol === 'tcp');
  }

  #made(): QualityReport {
    const network = this.#ports.network();
    return { ...this.#sums.report(), browser: this.#ports.browser, ...(network ? { network } : {}) };
  }
}

const PROBLEMS: { readonly [P in CaptureProblem]?: DeviceProblem } = {
  denied: 'denied',
  missing: 'not_found',
  busy: 'in_use',
  lost: 'lost',
};

/** Over one report. */
class Sums {
  ms = 0;
  restarts = 0;
  readonly problems = new Set<DeviceProblem>();
  readonly #rtt = new Mean();
  readonly #jitter = new Mean();
  readonly #fps = new Mean();
  readonly #layers = new Mean();
  readonly #lossUp = new Share();
  readonly #lossDown = new Share();
  readonly #concealed = new Share();
  #freezes = 0;
  #frozenMs = 0;
  #cpuMs = 0;
  #narrowMs = 0;

  add(before: Sample, sample: Sample, ms: number, begins: boolean): void {
    this.ms += ms;
    this.#rtt.add(sample.path?.rttMs);
    this.#in(before, sample);
    this.#out(before, sample, ms, begins);
  }

  report(): QualityReport {
    return {
      ...maybe('rtt_ms', this.#rtt.mean),
      ...maybe('jitter_ms', this.#jitter.mean),
      ...maybe('loss_up', this.#lossUp.thousandths),
      ...maybe('loss_down', this.#lossDown.thousandths),
      ...maybe('fps', this.#fps.mean),
      ...maybe('concealed', this.#concealed.thousandths),
      ...maybe('layers', this.#layers.mean),
      freezes: Math.round(this.#freezes),
      frozen_ms: Math.round(this.#frozenMs),
      limited_cpu_ms: Math.round(this.#cpuMs),
      limited_bandwidth_ms: Math.round(this.#narrowMs),
      restarts: this.restarts,
      ...(this.problems.size > 0 ? { problems: [...this.problems] } : {}),
    };
  }

  #in(before: Sample, sample: Sample): void {
    for (const [was, is] of pairs<VideoInSample | AudioInSample>(
      [...before.videosIn, ...before.audiosIn],
      [...sample.videosIn, ...sample.audiosIn],
      (one) => `${'fps' in one} ${one.slot}`,
    )) {
      const came = growth(was.packets, is.packets) ?? 0;
      const lost = growth(was.lost, is.lost) ?? 0;
      if (came + lost > 0) this.#lossDown.add(lost, came + lost);
    }
    for (const [was, is] of pairs(before.audiosIn, sample.audiosIn, (one) => one.slot)) {
      if ((growth(was.packets, is.packets) ?? 0) > 0) this.#jitter.add(is.jitterMs);
      const samples = growth(was.samples, is.samples) ?? 0;
      const silent = growth(was.silentConcealed, is.silentConcealed) ?? 0;
      const concealed = (growth(was.concealed, is.concealed) ?? 0) - silent;
      if (samples > 0) this.#concealed.add(Math.max(0, concealed), samples);
    }
    let largest: { area: number; fps: number } | undefined;
    for (const [was, is] of pairs(before.videosIn, sample.videosIn, (one) => one.slot)) {
      this.#freezes += growth(was.freezes, is.freezes) ?? 0;
      this.#frozenMs += growth(was.freezesMs, is.freezesMs) ?? 0;
      const area = (is.width ?? 0) * (is.height ?? 0);
      const moves = (growth(was.framesDecoded, is.framesDecoded) ?? 0) > 0;
      if (moves && is.fps !== undefined && area > (largest?.area ?? 0)) largest = { area, fps: is.fps };
    }
    this.#fps.add(largest?.fps);
  }

  #out(before: Sample, sample: Sample, ms: number, begins: boolean): void {
    for (const [was, is] of pairs(before.audiosOut, sample.audiosOut, (one) => one.source)) this.#remote(was, is);
    let layers = 0;
    const limits = new Set<string>();
    for (const [was, is] of pairs(before.videosOut, sample.videosOut, (one) => `${one.source} ${one.rid}`)) {
      this.#remote(was, is);
      if ((growth(was.bytes, is.bytes) ?? 0) === 0) continue;
      if (is.source === 'camera') layers += 1;
      if (is.limitation) limits.add(is.limitation);
    }
    if (layers > 0) this.#layers.add(layers);
    if (limits.has('cpu')) this.#cpuMs += ms;
    if (limits.has('bandwidth') && !begins) this.#narrowMs += ms;
  }

  /** The other end tells shares of what it expected; what was sent meanwhile weighs them. */
  #remote(was: Sample['audiosOut'][number], is: Sample['audiosOut'][number]): void {
    const sent = growth(was.packets, is.packets) ?? 0;
    const loss = is.remote?.loss;
    if (sent > 0 && loss !== undefined) this.#lossUp.add(loss * sent, sent);
  }
}

class Mean {
  #sum = 0;
  #count = 0;

  add(value: number | undefined): void {
    if (value === undefined) return;
    this.#sum += value;
    this.#count += 1;
  }

  get mean(): number | undefined {
    return this.#count === 0 ? undefined : Math.round(this.#sum / this.#count);
  }
}

class Share {
  #part = 0;
  #whole = 0;

  add(part: number, whole: number): void {
    this.#part += part;
    this.#whole += whole;
  }

  get thousandths(): number | undefined {
    return this.#whole === 0 ? undefined : Math.min(WHOLE, Math.round((this.#part / this.#whole) * WHOLE));
  }
}

/** The same stream then and now. */
function pairs<T>(before: readonly T[], after: readonly T[], key: (one: T) => unknown): [T, T][] {
  return after.flatMap((is): [T, T][] => {
    const was = before.find((one) => key(one) === key(is));
    return was ? [[was, is]] : [];
  });
}

function maybe<K extends string>(key: K, value: number | undefined): { [P in K]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: number });
}
