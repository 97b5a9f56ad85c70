import type { Shape } from '../../../graph/shape.js';
import { numel } from '../../../graph/shape.js';
import type { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import type { Assembler, Lanes } from './assembler.js';
import { featureLayoutOf } from './featureLayout.js';
import { at } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadNumber, loadOperand, scratch, type Task } from './kernel.js';
import { Registers } from './registers.js';

const float = 4;

/** Where the numbers are that are normalized together: those of a row, in vectors. */
export interface LayerNormSpec {
  readonly lanes: Lanes;
  readonly epsilon: number;
  /** Groups of rows that are at even distances. */
  readonly groups: number;
  readonly rows: number;
  /** Vectors of a row. */
  readonly vectors: number;
  /** Bytes from one vector of a row to the next, and from one row to the next. */
  readonly vectorBytes: number;
  readonly rowBytes: number;
}

/**
 * Layouts with whole vectors along the axis: where it is the last one in memory, or in blocks of one vector.
 */
export function layerNormSpec(desc: MemoryDesc, shape: Shape, axis: number, epsilon: number): LayerNormSpec | null {
  const lanes = codeLanes('float32');
  const size = shape[axis];
  if (lanes === null || desc.dtype !== 'float32' || size % lanes !== 0) return null;
  const vectors = size / lanes;
  const common = { lanes, epsilon, vectors };
  const rows = numel(shape) / size;
  const isLast = desc.isPlain() && axis === shape.length - 1;
  const isFeatures = axis === 1 && shape.length === 4 && desc.shape.length === 4;
  if (isLast || (isFeatures && desc.isChannelsLast())) {
    return { ...common, groups: 1, rows, vectorBytes: lanes * float, rowBytes: size * float };
  }
  const layout = isFeatures ? featureLayoutOf(desc, lanes) : null;
  if (layout === null) return null;
  const pixels = rows / shape[0];
  return { ...common, groups: shape[0], rows: pixels, vectorBytes: pixels * lanes * float, rowBytes: lanes * float };
}

/** Most tasks, each of which has sums of its own for the gradients of the factors. */
const mostTasks = 64;

/** Bytes of a task, unless there would be too many: a row is read more than once. */
const bytesOfTask = 64 * 1024;

/** A task with some rows, `together` at a time. */
interface Chunk {
  readonly together: number;
  /** Turns with so many rows. */
  readonly turns: number;
  /** Bytes from the first row of all. */
  readonly at: number;
  /** Rows before. */
  readonly first: number;
}

function chunksOf({ lanes, groups, rows, vectors, rowBytes, vectorBytes }: LayerNormSpec, together: number): Chunk[] {
  const size = vectors * lanes;
  const enough = Math.max(bytesOfTask / (size * float), (groups * rows) / mostTasks);
  const most = Math.ceil(enough / together) * together;
  const groupBytes = Math.max(rows * rowBytes, vectors * vectorBytes);
  const result: Chunk[] = [];
  for (let group = 0; group < groups; group++) {
    for (let row = 0; row < rows; ) {
      const left = rows - row;
      const place = { at: group * groupBytes + row * rowBytes, first: group * rows + row };
      const turns = Math.floor(Math.min(most, left) / together);
      if (turns > 0) result.push({ together, turns, ...place });
      else result.push({ together: 1, turns: left, ...place });
      row += turns > 0 ? turns * together : left;
    }
  }
  return result;
}

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** A routine for so many rows at a time, and one for the rest of them; tasks are made of chunks. */
function routines(to: Assembler, spec: LayerNormSpec, most: number, write: (together: number) => void) {
  const labels = new Map(
    [most, 1].map((together) => {
      const label = to.label();
      to.bind(label);
      write(together);
      to.ret();
      return [together, label];
    }),
  );
  const chunks = chunksOf(spec, most);
  return chunks.map((chunk, i): Task => {
    const routine = labels.get(chunk.together);
    if (routine === undefined) throw new RangeError('no such routine');
    return {
      routine,
      numbers: [chunk.at, chunk.first * float, chunk.turns, i * 2 * spec.vectors * spec.lanes * float],
    };
  });
}

/** Numbers of a task. */
const [placeOf, statisticsOf, turnsOf, sumsOf] = [0, 1, 2, 3];

/** Operands: x, scale, shift, y, mean, inverse. */
export function layerNormForward(spec: LayerNormSpec): KernelCode {
  const [x, scale, shift, y, mean, inverse] = upTo(6);
  const { lanes, vectors, vectorBytes, rowBytes, epsilon } = spec;
  const together = 4;
  const registers = new Registers(lanes);
  const [ofCount, added, one] = registers.vectors(3);
  const [means, sums] = [registers.vectors(together), registers.vectors(together)];
  const [value, factor, summand] = registers.vectors(3);
  const [turns, rows, results, ofMean, ofInverse, from, into, factors, summands, count] = scratch;
  return kernelCode(
    lanes,
    (to) => {
      const tasks = routines(to, spec, together, (n) => {
        const each = upTo(n);
        const overVectors = (body: () => void) => {
          to.copy(from, rows);
          to.repeat(count, vectors, () => {
            body();
            to.addConstant(from, vectorBytes);
          });
        };
        loadOperand(to, rows, x, placeOf);
        loadOperand(to, results, y, placeOf);
        loadOperand(to, ofMean, mean, statisticsOf);
        loadOperand(to, ofInverse, inverse, statisticsOf);
        loadNumber(to, turns, turnsOf);
        const next = to.label();
        to.bind(next);
        for (const i of each) to.vzero(sums[i]);
        overVectors(() => {
          for (const i of each) to.v('add', sums[i], sums[i], at(from, i * rowBytes));
        });
        for (const i of each) {
          to.vsumLanes(sums[i], value);
          to.v('mul', means[i], sums[i], ofCount);
          to.vstoreOne(at(ofMean, i * float), means[i]);
          to.vzero(sums[i]);
        }
        overVectors(() => {
          for (const i of each) {
            to.vload(value, at(from, i * rowBytes));
            to.v('sub', value, value, means[i]);
            to.v('addMul', sums[i], value, value);
          }
        });
        for (const i of each) {
          to.vsumLanes(sums[i], value);
          to.v('mul', sums[i], sums[i], ofCount);
          to.v('add', sums[i], sums[i], added);
          to.vsqrt(sums[i], sums[i]);
          to.v('div', sums[i], one, sums[i]);
          to.vstoreOne(at(ofInverse, i * float), sums[i]);
        }
        to.copy(into, results);
        loadOperand(to, factors, scale);
        loadOperand(to, summands, shift);
        overVectors(() => {
          to.vload(factor, at(factors));
          to.vload(summand, at(summands));
          for (const i of each) {
            to.vload(value, at(from, i * rowBytes));
            to.v('sub', value, value, means[i]);
            to.v('mul', value, value, sums[i]);
            to.v('mulAdd', value, factor, summand);
            to.vstore(at(into, i * rowBytes), value);
          }
          to.addConstant(into, vectorBytes);
          to.addConstant(factors, lanes * float);
          to.addConstant(summands, lanes * float);
        });
        for (const pointer of [rows, results]) to.addConstant(pointer, n * rowBytes);
        for (const pointer of [ofMean, ofInverse]) to.addConstant(pointer, n * float);
        to.decrement(turns);
        to.jump(next, 'notZero');
      });
      return [tasks];
    },
    {
      prepare: (to) => {
        to.vconstant(ofCount, 1 / (vectors * lanes), count);
        to.vconstant(added, epsilon, count);
        to.vconstant(one, 1, count);
      },
    },
  );
}

/** Bytes of the working memory of {@link layerNormBackward}. */
export const sumBytes = (spec: LayerNormSpec): number =>
  chunksOf(spec, togetherBackward(spec.lanes)).length * 2 * spec.vectors * spec.lanes * float;

/** As many rows as there are registers for. */
const togetherBackward = (lanes: Lanes): number => (lanes === 16 ? 4 : 2);

/** Operands: x, mean, inverse, scale, dy, dx, gradients of scale and shift, working memory. */
export function layerNormBackward(spec: LayerNormSpec): KernelCode {
  const [x, mean, inverse, scale, dy, dx, dScale, dShift, working] = upTo(9);
  const { lanes, vectors, vectorBytes, rowBytes } = spec;
  const together = togetherBackward(lanes);
  const registers = new Registers(lanes);
  const ofCount = registers.vector();
  const [means, inverses] = [registers.vectors(together), registers.vectors(together)];
  // Sums of the scaled gradients, and of their products with the normalized values.
  const [sums, products] = [registers.vectors(together), registers.vectors(together)];
  const [value, gradient, factor, ofScale, ofShift] = registers.vectors(5);
  const [turns, rows, gradients, results, ofMean, ofInverse, from, second, into, factors, count] = scratch;
  const step = lanes * float;
  const shiftsAt = vectors * step;
  return kernelCode(
    lanes,
    (to) => {
      const tasks = routines(to, spec, together, (n) => {
        const each = upTo(n);
        const normalize = (i: number) => {
          to.vload(value, at(from, i * rowBytes));
          to.v('sub', value, value, means[i]);
          to.v('mul', value, value, inverses[i]);
          to.vload(gradient, at(second, i * rowBytes));
        };
        const overVectors = (body: () => void) => {
          to.copy(from, rows);
          to.copy(second, gradients);
          loadOperand(to, factors, scale);
          to.repeat(count, vectors, () => {
            to.vload(factor, at(factors));
            body();
            to.addConstant(from, vectorBytes);
            to.addConstant(second, vectorBytes);
            to.addConstant(factors, step);
          });
        };
        loadOperand(to, rows, x, placeOf);
        loadOperand(to, gradients, dy, placeOf);
        loadOperand(to, results, dx, placeOf);
        loadOperand(to, ofMean, mean, statisticsOf);
        loadOperand(to, ofInverse, inverse, statisticsOf);
        loadNumber(to, turns, turnsOf);
        loadOperand(to, into, working, sumsOf);
        to.vzero(value);
        to.repeat(count, 2 * vectors, () => {
          to.vstore(at(into), value);
          to.addConstant(into, step);
        });
        const next = to.label();
        to.bind(next);
        for (const i of each) {
          to.vbroadcast(means[i], at(ofMean, i * float));
          to.vbroadcast(inverses[i], at(ofInverse, i * float));
          to.vzero(sums[i]);
          to.vzero(products[i]);
        }
        loadOperand(to, into, working, sumsOf);
        overVectors(() => {
          to.vload(ofScale, at(into));
          to.vload(ofShift, at(into, shiftsAt));
          for (const i of each) {
            normalize(i);
            to.v('addMul', ofScale, gradient, value);
            to.v('add', ofShift, ofShift, gradient);
            to.v('mul', gradient, gradient, factor);
            to.v('add', sums[i], sums[i], gradient);
            to.v('addMul', products[i], gradient, value);
          }
          to.vstore(at(into), ofScale);
          to.vstore(at(into, shiftsAt), ofShift);
          to.addConstant(into, step);
        });
        for (const i of each) {
          for (const total of [sums[i], products[i]]) {
            to.vsumLanes(total, value);
            to.v('mul', total, total, ofCount);
          }
        }
        to.copy(into, results);
        overVectors(() => {
          for (const i of each) {
            normalize(i);
            to.v('mul', gradient, gradient, factor);
            to.v('sub', gradient, gradient, sums[i]);
            to.v('mul', value, value, products[i]);
            to.v('sub', gradient, gradient, value);
            to.v('mul', gradient, gradient, inverses[i]);
            to.vstore(at(into, i * rowBytes), gradient);
          }
          to.addConstant(into, vectorBytes);
        });
        for (const pointer of [rows, gradients, results]) to.addConstant(pointer, n * rowBytes);
        for (const pointer of [ofMean, ofInverse]) to.addConstant(pointer, n * float);
        to.decrement(turns);
        to.jump(next, 'notZero');
      });
      const totals = [
        { operand: dScale, first: 0 },
        { operand: dShift, first: shiftsAt },
      ].flatMap(({ operand, first }): Task[] => {
        const routine = to.label();
        to.bind(routine);
        loadOperand(to, from, working, 0);
        loadOperand(to, into, operand, 1);
        to.vzero(value);
        to.repeat(count, tasks.length, () => {
          to.v('add', value, value, at(from));
          to.addConstant(from, 2 * shiftsAt);
        });
        to.vstore(at(into), value);
        to.ret();
        return upTo(vectors).map((v) => ({ routine, numbers: [first + v * step, v * step] }));
      });
      return [tasks, totals];
    },
    {
      prepare: (to) => {
        to.vconstant(ofCount, 1 / (vectors * lanes), count);
      },
    },
  );
}
