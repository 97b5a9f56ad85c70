import { allocate } from '../../../graph/dtype.js';
import { numel } from '../../../graph/shape.js';
import { plainType } from '../../planned/layout.js';
import { Layout } from '../layout.js';
import type { Lower } from '../lowering.js';

export const constant: Lower<'constant'> = (context, node) => {
  const [y] = node.outputs;
  const { value, dtype } = node.params;
  const contents = allocate(dtype, numel(y.shape)).fill(value);
  context.define(y, { buffer: context.constant(contents), layout: Layout.plain(y.shape, dtype) });
};

/** This is no work: the same memory is read with other axes. */
export const reshape: Lower<'reshape'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  context.define(y, { buffer: context.plain(x).buffer, layout: Layout.plain(y.shape, plainType(y.dtype)) });
};
