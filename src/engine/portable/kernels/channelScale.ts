import type { TaskKernel } from '../../kernels/taskKernel.js';
import { float } from '../../kernels/tile.js';
import { type Matrices, ofColumns } from './sums.js';

/** Each column times a number. Operands: matrices, numbers `[matrices, columns]`, results. */
export function channelScaleKernel(shape: Matrices): TaskKernel {
  return ofColumns(shape, [true, false, true], (to, [x, scale, y], vectors) => {
    const factors = vectors.map(({ bytes, lanes }) => to.loadPart(scale, bytes, lanes));
    to.repeat(shape.rows, () => {
      vectors.forEach(({ bytes, lanes }, v) => {
        to.scope(() => to.storePart(to.apply('mul', to.loadPart(x, bytes, lanes), factors[v]), y, bytes, lanes));
      });
      for (const pointer of [x, y]) to.advance(pointer, shape.columns * float);
    });
  });
}

/** Operands: x, scale, dy, dx, dScale. */
export function channelScaleBackwardKernel(shape: Matrices): TaskKernel {
  return ofColumns(shape, [true, false, true, true, false], (to, [x, scale, dy, dx, dScale], vectors) => {
    const factors = vectors.map(({ bytes, lanes }) => to.loadPart(scale, bytes, lanes));
    const sums = vectors.map(() => to.zero());
    to.repeat(shape.rows, () => {
      vectors.forEach(({ bytes, lanes }, v) => {
        to.scope(() => {
          const gradient = to.loadPart(dy, bytes, lanes);
          to.addProduct(sums[v], gradient, to.loadPart(x, bytes, lanes));
          to.storePart(to.apply('mul', gradient, factors[v]), dx, bytes, lanes);
        });
      });
      for (const pointer of [x, dy, dx]) to.advance(pointer, shape.columns * float);
    });
    vectors.forEach(({ bytes, lanes }, v) => {
      to.storePart(sums[v], dScale, bytes, lanes);
    });
  });
}
