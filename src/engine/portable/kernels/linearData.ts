import type { Assembler, Pointer } from '../../kernels/assembler.js';
import { clearRow } from '../../kernels/rows.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { balanced, float, panelOf, panelVectors } from '../../kernels/tile.js';

/** Numbers of the sums of a task: they stay in the first cache. */
const sumNumbers = 4096;

/** Rows whose gradients stay in registers. */
const mostRows = 5;

/** Rows from which on copying the weights into another order is worth it. */
export const fewRows = 32;

/**
 * The product of gradients `[rows, outputs]` with weights in panels of outputs, `[panels][inputs][panel]`. So
 * the weights, of which a linear layer has many, need no copy in another order. A sum has a part in each lane
 * until all panels are added.
 *
 * Operands: gradient of the output, weights, gradient of the input `[rows, inputs]`, working memory. A task
 * is some inputs.
 */
export function linearDataKernel(rows: number, inputs: number, outputs: number): TaskKernel {
  const lanes = 4;
  const chunk = Math.min(inputs, Math.max(lanes, Math.floor(sumNumbers / rows / lanes)));
  const [whole, rest] = [Math.floor(inputs / chunk), inputs % chunk];
  return {
    tasks: Math.ceil(inputs / chunk),
    scratch: rows * chunk * lanes * float,
    emit: (to, [dy, weights, dx, scratch], first, end) => {
      to.range(first, end, (task) => {
        const [from, target] = [to.pointer(weights), to.pointer(dx)];
        to.advanceBy(from, task, chunk * panelOf(to) * float);
        to.advanceBy(target, task, chunk * float);
        const part = (count: number) =>
          chunkOfInputs(to, [dy, from, target, scratch], { rows, inputs, outputs }, count);
        if (rest === 0) part(chunk);
        else
          to.ifLess(
            task,
            whole,
            () => part(chunk),
            () => part(rest),
          );
      });
    },
  };
}

interface Sizes {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

function chunkOfInputs(
  to: Assembler,
  [dy, weights, dx, scratch]: readonly Pointer[],
  { rows, inputs, outputs }: Sizes,
  count: number,
): void {
  const panel = panelOf(to);
  const vectorBytes = to.lanes * float;
  clearRow(to, scratch, rows * count * to.lanes);
  const [w, gradients] = [to.pointer(weights), to.pointer(dy)];
  const overPanels = (times: number, channels: number) =>
    to.repeat(times, () => {
      const [above, sums] = [to.pointer(gradients), to.pointer(scratch)];
      for (const { size, times } of balanced(rows, mostRows)) {
        to.repeat(times, () => {
          addPanel(to, [above, w, sums], { rows: size, outputs, channels, count });
          to.advance(above, size * outputs * float);
          to.advance(sums, size * count * vectorBytes);
        });
      }
      to.advance(w, inputs * panel * float);
      to.advance(gradients, panel * float);
    });
  overPanels(Math.floor(outputs / panel), panel);
  if (outputs % panel > 0) overPanels(1, outputs % panel);
  const [sums, target] = [to.pointer(scratch), to.pointer(dx)];
  to.repeat(rows, () => {
    to.repeat(count, () => {
      to.storePart(to.sumOfLanes(to.load(sums)), target, 0, 1);
      to.advance(sums, vectorBytes);
      to.advance(target, float);
    });
    to.advance(target, (inputs - count) * float);
  });
}

interface PanelSizes {
  readonly rows: number;
  readonly outputs: number;
  /** Outputs of the panel. */
  readonly channels: number;
  readonly count: number;
}

/** Adds the products with one panel to the sums of some rows. */
function addPanel(
  to: Assembler,
  [dy, weights, scratch]: readonly Pointer[],
  { rows, outputs, channels, count }: PanelSizes,
): void {
  const vectorBytes = to.lanes * float;
  const vectors = Math.ceil(channels / to.lanes);
  const gradients = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: vectors }, (_, v) =>
      to.loadPart(dy, row * outputs * float + v * vectorBytes, Math.min(to.lanes, channels - v * to.lanes)),
    ),
  );
  const [w, sums] = [to.pointer(weights), to.pointer(scratch)];
  to.repeat(count, () => {
    const factors = Array.from({ length: vectors }, (_, v) => to.load(w, v * vectorBytes));
    gradients.forEach((ofRow, row) => {
      to.scope(() => {
        const sum = to.load(sums, row * count * vectorBytes);
        ofRow.forEach((gradient, v) => {
          to.addProduct(sum, gradient, factors[v]);
        });
        to.store(sum, sums, row * count * vectorBytes);
      });
    });
    to.advance(w, panelVectors * vectorBytes);
    to.advance(sums, vectorBytes);
  });
}
