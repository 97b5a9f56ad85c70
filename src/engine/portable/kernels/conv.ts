import type { Assembler, Emit, Integer, Pointer, Vector } from '../../kernels/assembler.js';
import { padRows } from '../../kernels/rows.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { addProducts, balanced, float, mostPixels, panelOf, panelVectors, type TileLoop } from '../../kernels/tile.js';
import { activate } from './activation.js';
import { type AxisGather, type GatherSizes, reach } from './axis.js';

/**
 * A convolution in either direction, as sums over places of the input. Features have their channels last; the
 * weights are panels `[groups][panels][kernel][inChannels][panel]` of output channels.
 */
export interface Gather extends GatherSizes {
  readonly groups: number;
  /** Channels of one group. */
  readonly inChannels: number;
  readonly outChannels: number;
}

/** Bytes of input rows that a task works on: they stay in the second cache beside the weights. */
const bytesPerTask = 128 * 1024;

/** Tasks for each thread, if there are too few rows for them: each takes some panels of output channels. */
const tasksPerThread = 4;

/**
 * The kernel of a gather. Operands: input, weights, bias if there is one, summand if there is one, output,
 * working memory if there is any.
 *
 * @param threads the work is divided into at least as many tasks, if it can be
 */
export function gatherKernel(gather: Gather, threads: number): TaskKernel {
  const { images, groups, rows, cols, input, output } = gather;
  const [inC, outC] = [groups * gather.inChannels, groups * gather.outChannels];
  const [[top, last], [left, end]] = [reach(rows), reach(cols)];
  const isPadded = top < 0 || left < 0 || last >= input[0] || end >= input[1];
  const before = isPadded ? Math.max(0, -left) : 0;
  const width = isPadded ? before + input[1] + Math.max(0, end - input[1] + 1) : input[1];
  const pitch = width * inC * float;
  const most = Math.max(...rows.map(({ count }) => count));
  const rowStride = rows[0].stride;
  // Rows under one row of outputs.
  const window = last - top + 1 - (most - 1) * rowStride;
  const fitting = Math.max(1, Math.floor((bytesPerTask / pitch - window) / rowStride) + 1);
  const panels = Math.ceil(gather.outChannels / panelOf({ lanes: 4 }));
  const tasksByRows = images * Math.ceil(most / Math.min(fitting, most));
  const wantedTasks = threads === 1 || groups > 1 ? 1 : tasksPerThread * threads;
  const panelsPerTask = Math.ceil(panels / Math.min(panels, Math.ceil(wantedTasks / tasksByRows)));
  const parts = Math.ceil(panels / panelsPerTask);
  const wanted = Math.ceil(most / Math.ceil(threads / (images * parts)));
  const rowsPerTask = Math.ceil(most / Math.ceil(most / Math.min(fitting, wanted, most)));
  const blocks = Math.ceil(most / rowsPerTask);
  const copied = (rowsPerTask - 1) * rowStride + window;

  const emit: Emit = (to, operands, firstTask, endTask) => {
    const list = [...operands];
    const take = (exists = true) => (exists ? (list.shift() as Pointer) : null);
    const [x, weights, bias, summand, y, scratch] = [
      take() as Pointer,
      take() as Pointer,
      take(gather.bias),
      take(gather.summand),
      take() as Pointer,
      take(isPadded),
    ];
    to.range(firstTask, endTask, (task) => {
      const part = parts === 1 ? null : to.remainder(task, parts);
      const ofRows = parts === 1 ? task : to.quotient(task, parts);
      const image = to.quotient(ofRows, blocks);
      const firstRow = to.times(to.remainder(ofRows, blocks), rowsPerTask);
      const endRow = to.plus(firstRow, rowsPerTask);
      const source = to.pointer(x);
      to.advanceBy(source, image, input[0] * input[1] * inC * float);
      if (scratch === null) to.advanceBy(source, firstRow, rowStride * pitch);
      else
        padRows(to, scratch, source, to.plus(to.times(firstRow, rowStride), top), {
          rows: copied,
          height: input[0],
          before: before * inC,
          row: input[1] * inC,
          after: (width - before - input[1]) * inC,
        });
      const [from, origin] = scratch === null ? [source, 0] : [scratch, top];
      const target = to.pointer(y);
      const added = summand === null ? null : to.pointer(summand);
      const imageBytes = output[0] * output[1] * outC * float;
      to.advanceBy(target, image, imageBytes);
      if (added !== null) to.advanceBy(added, image, imageBytes);
      for (const row of rows) {
        for (const col of cols) {
          const place = {
            input: to.pointer(from, (row.offset - origin) * pitch + (col.offset + before) * inC * float),
            targets: [target, added].map((pointer) => {
              if (pointer === null) return null;
              const moved = to.pointer(pointer, (row.start * output[1] + col.start) * outC * float);
              to.advanceBy(moved, firstRow, row.step * output[1] * outC * float);
              return moved;
            }),
          };
          const range = { firstRow, endRow: to.least(endRow, row.count) };
          const channels = { part, panelsPerTask };
          overChannels(to, gather, { row, col, pitch, ...place, ...range, ...channels, weights, bias });
        }
      }
    });
  };
  const scratch = isPadded ? copied * pitch : 0;
  return { emit, tasks: images * blocks * parts, scratch };
}

interface Phase {
  readonly row: AxisGather;
  readonly col: AxisGather;
  /** Bytes of a row of the input. */
  readonly pitch: number;
  /** At the first tap of the first output. */
  readonly input: Pointer;
  /** Output, and summand if there is one, at the first output. */
  readonly targets: readonly (Pointer | null)[];
  readonly weights: Pointer;
  readonly bias: Pointer | null;
  readonly firstRow: Integer;
  readonly endRow: Integer;
  /** Number of the task among those for the same rows; `null` if there is one. */
  readonly part: Integer | null;
  readonly panelsPerTask: number;
}

/** All groups, and the task's panels of channels. */
function overChannels(to: Assembler, gather: Gather, phase: Phase): void {
  const { groups, inChannels, outChannels, kernel } = gather;
  const { row, col, input, targets, weights, bias, part, panelsPerTask } = phase;
  const panel = panelOf(to);
  const [whole, rest] = [Math.floor(outChannels / panel), outChannels % panel];
  const tapBytes = inChannels * panel * float;
  const panelBytes = kernel[0] * kernel[1] * tapBytes;
  to.scope(() => {
    const x = to.pointer(input);
    const w = to.pointer(weights, (row.weight * kernel[1] + col.weight) * tapBytes);
    const others = [...targets, bias].map((pointer) => (pointer === null ? null : to.pointer(pointer)));
    const onePanel = (channels: number) => {
      const [target, added, offsets] = others;
      overRows(to, gather, { ...phase, input: x, targets: [target, added], weights: w, bias: offsets }, channels);
      to.advance(w, panelBytes);
      for (const pointer of others) if (pointer !== null) to.advance(pointer, channels * float);
    };
    if (part === null) {
      to.repeat(groups, () => {
        to.repeat(whole, () => onePanel(panel));
        if (rest > 0) onePanel(rest);
        to.advance(x, inChannels * float);
      });
      return;
    }
    const firstPanel = to.times(part, panelsPerTask);
    to.advanceBy(w, firstPanel, panelBytes);
    for (const pointer of others) if (pointer !== null) to.advanceBy(pointer, firstPanel, panel * float);
    to.range(firstPanel, to.least(to.plus(firstPanel, panelsPerTask), whole), () => onePanel(panel));
    const lastPart = Math.ceil((whole + 1) / panelsPerTask) - 1;
    if (rest > 0)
      to.ifLess(
        part,
        lastPart,
        () => {},
        () => onePanel(rest),
      );
  });
}

/** All rows and pixels, for one panel of channels. */
function overRows(to: Assembler, gather: Gather, phase: Phase, channels: number): void {
  const { row, col, pitch, input, targets, firstRow, endRow } = phase;
  const inBytes = gather.groups * gather.inChannels * float;
  const outBytes = gather.groups * gather.outChannels * float;
  const [from, ...places] = [input, ...targets].map((pointer) => (pointer === null ? null : to.pointer(pointer)));
  const moveRows = () => {
    to.advance(from as Pointer, row.stride * pitch);
    for (const place of places) if (place !== null) to.advance(place, row.step * gather.output[1] * outBytes);
  };
  to.range(firstRow, endRow, () => {
    const x = to.pointer(from as Pointer);
    const moved = places.map((place) => (place === null ? null : to.pointer(place)));
    for (const { size, times } of balanced(col.count, mostPixels(to))) {
      to.repeat(times, () => {
        tile(to, gather, { ...phase, input: x, targets: moved }, channels, size);
        to.advance(x, size * col.stride * inBytes);
        for (const place of moved) if (place !== null) to.advance(place, size * col.step * outBytes);
      });
    }
    moveRows();
  });
}

/** Some pixels of one row, for one panel of channels. */
function tile(to: Assembler, gather: Gather, phase: Phase, channels: number, pixels: number): void {
  const { row, col, pitch, input, targets, weights, bias } = phase;
  const { groups, inChannels, outChannels, kernel, activation } = gather;
  const { lanes } = to;
  const inBytes = groups * inChannels * float;
  const outBytes = col.step * groups * outChannels * float;
  const tapBytes = inChannels * panelVectors * lanes * float;
  const vectors = Math.ceil(channels / lanes);
  const partOf = (v: number) => Math.min(lanes, channels - v * lanes);
  const loops: TileLoop[] = [
    { times: row.taps, input: row.tapStep * pitch, weights: row.weightStep * kernel[1] * tapBytes },
  ];
  // Neighbouring taps of a row are neighbours in the input and in the weights.
  const joins = groups === 1 && col.tapStep === 1 && col.weightStep === 1;
  if (!joins) loops.push({ times: col.taps, input: col.tapStep * inBytes, weights: col.weightStep * tapBytes });
  const run = joins ? col.taps * inChannels : inChannels;
  const starts = Array.from({ length: vectors }, (_, v) =>
    bias === null ? null : to.loadPart(bias, v * lanes * float, partOf(v)),
  );
  const sums = Array.from({ length: pixels }, () =>
    starts.map((start): Vector => (start === null ? to.zero() : to.copy(start))),
  );
  if (row.taps * col.taps > 0) addProducts(to, sums, input, weights, { loops, run, pixelBytes: col.stride * inBytes });
  const [target, added] = targets;
  sums.forEach((ofPixel, pixel) => {
    ofPixel.forEach((sum, v) => {
      to.scope(() => {
        const [bytes, count] = [pixel * outBytes + v * lanes * float, partOf(v)];
        if (added !== null) to.applyTo(sum, 'add', sum, to.loadPart(added, bytes, count));
        to.storePart(activation === undefined ? sum : activate(to, activation, sum), target as Pointer, bytes, count);
      });
    });
  });
}
