import type { KernelCall, StepRecord, TimedCall } from '../engine/record.js';
import type { StepPart } from '../graph/origin.js';
import type { Shape } from '../graph/shape.js';

/** Time of one part of a step. Rates are null if they have no meaning for that part. */
export interface ProfileTime {
  /** Time per step, median over the steps. */
  readonly ms: number;
  /** Share of the time of all kernels. */
  readonly share: number;
  /** Rate of convolutions and linear layers, by the operations of the plain algorithm for any kernel. */
  readonly gflops: number | null;
  /** Rate of the other kernels, by the data that they read and write. */
  readonly gigabytesPerSecond: number | null;
}

/** All calls of one kernel. */
export interface KernelProfile extends ProfileTime {
  /** `conv2d+relu` */
  readonly kernel: string;
  /** The library's name of the kernel, or `typescript`. */
  readonly implementation: string;
  /** In a step. */
  readonly calls: number;
}

/** All kernels of one layer. */
export interface LayerProfile extends ProfileTime {
  /** As in the parameters' names; empty for kernels outside of layers, such as those of loss and updates. */
  readonly layer: string;
  readonly forwardMs: number;
  readonly backwardMs: number;
  readonly updateMs: number;
}

/** Conversions of data to another layout or type. */
export interface ReorderProfile extends ProfileTime {
  readonly layer: string;
  readonly part: StepPart;
  readonly shape: Shape;
  /** Layouts in oneDNN's notation. */
  readonly from: string;
  readonly to: string;
  /** In a step. */
  readonly calls: number;
}

/** Times of the parts of a training step. They are medians over the profiled steps. */
export interface Profile {
  readonly steps: number;
  /** Median time of a whole step. */
  readonly stepMs: number;
  /** Sum of the medians of all kernels. On a busy machine it is less than the kernels' time in a step. */
  readonly kernelMs: number;
  /** Time of a step outside of kernels: building and looking up the graph, copying the batch in. */
  readonly otherMs: number;
  /** Time of the convolutions and linear layers alone. */
  readonly floorMs: number;
  /** Most time first. */
  readonly kernels: readonly KernelProfile[];
  /** In the order in which the input passes them. */
  readonly layers: readonly LayerProfile[];
  /** Most time first. */
  readonly reorders: readonly ReorderProfile[];
}

type MeasuredCall = Pick<TimedCall, 'call' | 'ms'>;

/** Summarizes recorded steps, which must all have made the same calls. */
export function profileOf(records: readonly StepRecord[]): Profile {
  const measured = records[0].calls.map(({ call }, i) => ({
    call,
    ms: median(records.map(({ calls }) => calls[i].ms)),
  }));
  const kernelMs = total(measured);
  const time = (part: readonly MeasuredCall[]) => timeOf(part, kernelMs);
  const slowestFirst = (a: ProfileTime, b: ProfileTime) => b.ms - a.ms;
  const reorders = measured.filter(({ call }) => call.name === 'reorder');
  return {
    steps: records.length,
    stepMs: median(records.map(({ ms }) => ms)),
    kernelMs,
    otherMs: median(records.map(({ ms, calls }) => ms - total(calls))),
    floorMs: total(measured.filter(({ call }) => call.flops > 0)),
    kernels: groups(measured, ({ name, implementation }) => `${name} ${implementation}`)
      .map((part) => {
        const { name: kernel, implementation } = part[0].call;
        return { kernel, implementation, calls: part.length, ...time(part) };
      })
      .sort(slowestFirst),
    layers: groups(measured, ({ layer }) => layer).map((part) => {
      const ofPart = (wanted: StepPart) => total(part.filter(({ call }) => call.part === wanted));
      const [forwardMs, backwardMs, updateMs] = [ofPart('forward'), ofPart('backward'), ofPart('update')];
      return { layer: part[0].call.layer, forwardMs, backwardMs, updateMs, ...time(part) };
    }),
    reorders: groups(reorders, reorderText)
      .map((alike) => {
        const { layer, part, reads, writes } = alike[0].call;
        const [from, to] = [reads[0], writes[0]];
        const move = { layer, part, shape: from.shape, from: from.layout, to: to.layout };
        return { ...move, calls: alike.length, ...time(alike) };
      })
      .sort(slowestFirst),
  };
}

function reorderText({ layer, part, reads, writes }: KernelCall): string {
  return [layer, part, reads[0].shape, reads[0].layout, writes[0].layout].join(' ');
}

/** Groups calls by a key, in the order of the first call of each group. */
function groups(measured: readonly MeasuredCall[], key: (call: KernelCall) => string): MeasuredCall[][] {
  const found = new Map<string, MeasuredCall[]>();
  for (const item of measured) {
    const name = key(item.call);
    const group = found.get(name);
    if (group === undefined) found.set(name, [item]);
    else group.push(item);
  }
  return [...found.values()];
}

function timeOf(part: readonly MeasuredCall[], kernelMs: number): ProfileTime {
  const ms = total(part);
  const heavy = part.filter(({ call }) => call.flops > 0);
  const flops = heavy.reduce((sum, { call }) => sum + call.flops, 0);
  const bytes = part.reduce((sum, { call }) => sum + call.bytes, 0);
  return {
    ms,
    share: ms / kernelMs,
    gflops: heavy.length > 0 ? flops / total(heavy) / 1e6 : null,
    gigabytesPerSecond: heavy.length === 0 ? bytes / ms / 1e6 : null,
  };
}

function total(part: readonly MeasuredCall[]): number {
  return part.reduce((sum, { ms }) => sum + ms, 0);
}

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const tracks = ['step', 'forward', 'backward', 'update'] as const;

/**
 * Recorded steps in Chrome's trace format, which Perfetto (https://ui.perfetto.dev) and `chrome://tracing`
 * show: complete events in microseconds, a track for whole steps and for each of their parts.
 */
export function traceOf(records: readonly StepRecord[], title: string): string {
  const origin = records[0].start;
  const named = (name: string, tid: number, value: string) => ({ name, ph: 'M', pid: 1, tid, args: { name: value } });
  const complete = (name: string, track: (typeof tracks)[number], start: number, ms: number, args: object) => {
    const [ts, dur] = [(start - origin) * 1000, ms * 1000];
    return { name, cat: track, ph: 'X', pid: 1, tid: tracks.indexOf(track), ts, dur, args };
  };
  const traceEvents = [
    named('process_name', 0, title),
    ...tracks.map((track, tid) => named('thread_name', tid, track)),
    ...records.flatMap(({ start, ms, calls }, i) => [
      complete(`step ${i + 1}`, 'step', start, ms, {}),
      ...calls.map(({ call, start: begun, ms: taken }) => {
        const { name, layer, part, implementation, threads, reads, writes, bytes, flops } = call;
        const texts = (list: KernelCall['reads']) => list.map(({ shape, layout }) => `${shape.join('x')}:${layout}`);
        const args = { layer, implementation, threads, reads: texts(reads), writes: texts(writes), bytes, flops };
        return complete(layer === '' ? name : `${name} ${layer}`, part, begun, taken, args);
      }),
    ]),
  ];
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents })}\n`;
}
