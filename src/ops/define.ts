import { DTypeError, InternalError, ShapeError } from '../errors.js';
import type { DType } from '../graph/dtype.js';
import { Node, type Value } from '../graph/node.js';
import type { OpName, OpParams, Spec } from '../graph/op.js';
import { formatShape, type Shape } from '../graph/shape.js';

/** The shape rule and the gradient of an op. Engines know how to compute it. */
export interface OpDefinition<K extends OpName> {
  /** Checks the inputs and gives the outputs' specs. Throws {@link ShapeError} or {@link DTypeError}. */
  infer(params: OpParams[K], inputs: readonly Spec[]): Spec[];
  /** Emits the nodes of the vector-Jacobian product; `null` for an op without a gradient. */
  readonly vjp: ((context: VjpContext<K>) => (Value | null)[]) | null;
}

export interface VjpContext<K extends OpName> {
  readonly params: OpParams[K];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Gradient of each output; `null` where nothing depends on it. */
  readonly grads: readonly (Value | null)[];
  /** Whether each input needs a gradient; for the others `null` may be returned. */
  readonly needs: readonly boolean[];
}

let gradEnabled = true;

/** Runs `body` without recording gradients. */
export function withoutGrad<T>(body: () => T): T {
  const before = gradEnabled;
  gradEnabled = false;
  try {
    return body();
  } finally {
    gradEnabled = before;
  }
}

/** One definition for every op; a missing one does not compile. */
export type OpTable = { readonly [K in OpName]: OpDefinition<K> };

// Gradients build nodes, and nodes need the definitions with the gradients. The table is handed in, so that
// modules do not import each other in a cycle.
let table: OpTable | null = null;

export function installOps(definitions: OpTable): void {
  table = definitions;
}

export function definitionOf<K extends OpName>(op: K): OpDefinition<K> {
  if (table === null) throw new InternalError('ops are used before src/ops/index.ts was loaded');
  return table[op] as OpDefinition<K>;
}

/** Adds a node to the graph and returns its outputs. */
export function apply<K extends OpName>(op: K, params: OpParams[K], inputs: readonly Value[]): readonly Value[] {
  const definition = definitionOf(op);
  const specs = definition.infer(params, inputs);
  let requiresGrad = false;
  if (gradEnabled && definition.vjp !== null) {
    for (const input of inputs) if (input.requiresGrad) requiresGrad = true;
  }
  return new Node(op, params, inputs, specs, requiresGrad).outputs;
}

/** Throws unless `value` is of one of the dtypes. */
export function checkDType(where: string, what: string, value: Spec, ...expected: readonly DType[]): void {
  if (!(expected as readonly string[]).includes(value.dtype)) {
    throw new DTypeError(
      `[${where}] ${what} dtype: expected ${expected.join(' or ')}, got ${value.dtype} ` +
        `(${what} ${formatShape(value.shape)}); convert it with cast()`,
    );
  }
}

/** Throws unless `value` has `rank` axes. */
export function checkRank(where: string, what: string, value: Spec, rank: number, layout: string): void {
  if (value.shape.length !== rank) {
    throw new ShapeError(
      `[${where}] ${what}: expected ${rank} axes (${layout}), got ${value.shape.length} (${formatShape(value.shape)})`,
    );
  }
}

/** Throws unless `value` has exactly this shape. */
export function checkExactShape(where: string, what: string, value: Spec, shape: Shape): void {
  if (value.shape.length !== shape.length || value.shape.some((size, i) => size !== shape[i])) {
    throw new ShapeError(`[${where}] ${what} shape: expected ${formatShape(shape)}, got ${formatShape(value.shape)}`);
  }
}

/** Throws unless `count` is between the bounds. */
export function checkInputs(where: string, inputs: readonly Spec[], least: number, most = least): void {
  if (inputs.length < least || inputs.length > most) {
    throw new ShapeError(`[${where}] inputs: expected ${least} to ${most}, got ${inputs.length}`);
  }
}
