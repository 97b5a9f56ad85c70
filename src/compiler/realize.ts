import type { Engine, Program, Watch } from '../engine/engine.js';
import { type MemoryNeed, needOf, requireMemory } from '../engine/memory.js';
import { debug } from '../env.js';
import { requireFinite } from '../errors.js';
import { bytesPerElement } from '../graph/dtype.js';
import type { Assignment, Value } from '../graph/node.js';
import { numel } from '../graph/shape.js';
import type { Storage } from '../graph/storage.js';
import { type Capture, capture, hasStructure, toGraph } from './capture.js';
import { foldBatchNorm } from './foldBatchNorm.js';
import { fuseActivations, fuseBatchNormRelu, fuseResiduals, fuseSums } from './fuse.js';
import type { Graph } from './graph.js';
import { type Precision, useBfloat16 } from './precision.js';
import { printGraph } from './print.js';
import { type CompiledGraph, ProgramCache } from './programs.js';
import { simplify } from './simplify.js';
import { sinkActivations } from './sink.js';
import { verify } from './verify.js';

const caches = new Map<Engine, ProgramCache>();
let compilations = 0;

/** The programs that an engine has compiled and may run again. */
export function programsOf(engine: Engine): ProgramCache {
  let cache = caches.get(engine);
  if (cache === undefined) {
    cache = new ProgramCache(engine);
    caches.set(engine, cache);
  }
  return cache;
}

/** How many programs have been compiled since the process began. A training loop stands still at one a batch shape. */
export function compilationCount(): number {
  return compilations;
}

/**
 * Computes `values` that have no data yet and renews what `assigned` (and the nodes on the way) assign, all in one
 * program. Values that lie in what is overwritten keep what they were.
 *
 * @param finite single numbers among `values`
 * @throws {NonFiniteError} if one of those is not finite; nothing is overwritten then
 */
export function realize(
  engine: Engine,
  values: readonly Value[],
  assigned: readonly Assignment[] = [],
  finite: readonly Value[] = [],
): void {
  const wanted = values.filter((value) => value.storage === null);
  // Until all is captured, what was to be assigned is all that there is to take back.
  let begun: Pick<Capture, 'nodes' | 'assignments'> = { nodes: [], assignments: assigned };
  try {
    for (const value of finite) if (value.storage !== null) requireFinite(value.current().read()[0]);
    const captured = capture(wanted, assigned, finite);
    begun = captured;
    const { nodes, assignments } = captured;
    // What is wanted as it was before this program overwrites it gets memory of its own.
    const saved = values.filter((value) => assignments.some(({ storage }) => storage === value.storage));
    for (const value of saved) value.current();
    if (nodes.length > 0 || assignments.length > 0) run(engine, { ...captured, values: [...wanted, ...saved] });
    for (const { storage, value } of assignments) {
      storage.version++;
      if (value.storage === null) value.realize(storage);
    }
  } finally {
    release(begun);
  }
}

/** Targets that were not renewed (a label was out of range) are left with what they had. */
function release({ nodes, assignments }: Pick<Capture, 'nodes' | 'assignments'>): void {
  for (const { target } of assignments) target.committed();
  for (const node of nodes) node.assignments = null;
}

/**
 * Computes values without the passes that join nodes, so that `watch` sees the result of each. Nothing is assigned, and
 * the values stay lazy.
 *
 * @throws {MemoryError} if there is not enough memory; nothing has been computed then
 */
export function inspect(engine: Engine, values: readonly Value[], watch: Watch): void {
  const captured = capture(values, []);
  const graph = optimize(toGraph({ ...captured, assignments: [] }), { fuses: false, precision: 'float32' });
  const program = engine.compile(graph, watch);
  try {
    // Without joined nodes and without an update it takes another amount than the program of the step.
    requireMemory(needFor(engine, program, captured));
    program.run(captured.sources);
  } finally {
    program.dispose();
    release(captured);
  }
}

/**
 * Compiles what {@link realize} would run, and tells what memory that takes. Nothing runs, the values stay lazy, and
 * inputs need not have data.
 *
 * @param keep whether the program is to be there when such values are realized
 */
export function plan(
  engine: Engine,
  values: readonly Value[],
  assigned: readonly Assignment[],
  finite: readonly Value[],
  keep: boolean,
): MemoryNeed {
  let begun: Pick<Capture, 'nodes' | 'assignments'> = { nodes: [], assignments: assigned };
  try {
    const captured = capture(values, assigned, finite);
    begun = captured;
    const { program } = keep ? lookUp(engine, captured) : compile(engine, toGraph(captured));
    const need = needFor(engine, program, captured);
    if (!keep) program.dispose();
    return need;
  } finally {
    release(begun);
  }
}

function needFor(engine: Engine, { memory }: Program, { sources }: Capture): MemoryNeed {
  const sizeOf = ({ shape, dtype }: Storage) => numel(shape) * bytesPerElement(dtype);
  const held = sources.reduce((sum, source) => sum + (source.persistent ? sizeOf(source) : 0), engine.heldBytes);
  return needOf(memory, held);
}

function run(engine: Engine, captured: Capture): void {
  const compiled = lookUp(engine, captured);
  const { program } = compiled;
  if (!compiled.admitted) admit(engine, program, captured);
  const start = performance.now();
  const storages = program.run(captured.sources);
  // The first run makes what is kept for the next ones.
  if (!compiled.admitted) programsOf(engine).trim();
  compiled.admitted = true;
  debug(5, () => `[run] ${captured.nodes.length} nodes in ${(performance.now() - start).toFixed(3)} ms`);
  captured.values.forEach((value, i) => {
    value.realize(storages[i]);
  });
}

/** @throws {MemoryError} if there is not enough memory even without what other programs keep */
function admit(engine: Engine, program: Program, captured: Capture): void {
  const { working, resident, budget } = needFor(engine, program, captured);
  if (working + resident > budget) programsOf(engine).trim(0);
  requireMemory(needFor(engine, program, captured));
}

function lookUp(engine: Engine, captured: Capture): CompiledGraph {
  const programs = programsOf(engine);
  const found = programs.find(engine.settings, (structure) => hasStructure(captured, structure));
  if (found !== null) return found;
  const compiled = compile(engine, toGraph(captured));
  programs.add(compiled);
  return compiled;
}

function compile(engine: Engine, structure: Graph): CompiledGraph {
  const start = performance.now();
  const { settings } = engine;
  const graph = optimize(structure, engine);
  const program = engine.compile(graph);
  compilations++;
  debug(2, () => `[compile] program\n${program.toString()}`);
  debug(
    1,
    () =>
      `[compile] ${engine.name}: ${structure.nodes.length} nodes, ${graph.nodes.length} after passes, ` +
      `${program.summary()}, ${(performance.now() - start).toFixed(1)} ms`,
  );
  return { structure, settings, program, admitted: false };
}

const passes: readonly Pass[] = [
  { name: 'simplify', apply: simplify },
  { name: 'foldBatchNorm', fusion: true, apply: foldBatchNorm },
  { name: 'sinkActivations', fusion: true, apply: sinkActivations },
  { name: 'fuseActivations', fusion: true, apply: fuseActivations },
  { name: 'fuseSums', fusion: true, apply: fuseSums },
  {
    name: 'fuseResiduals',
    fusion: true,
    apply: (graph, target) => fuseResiduals(graph, (shape) => target.normalizesSums?.(shape) === true),
  },
  { name: 'fuseBatchNormRelu', fusion: true, apply: fuseBatchNormRelu },
  {
    name: 'useBfloat16',
    precision: 'bf16',
    apply: (graph, target) => useBfloat16(graph, target.bfloat16Products?.(graph)),
  },
];

/** What the passes need to know of the engine. */
type Target = Pick<Engine, 'fuses' | 'precision' | 'bfloat16Products' | 'normalizesSums'>;

interface Pass {
  readonly name: string;
  /** For engines that have kernels for fused ops. */
  readonly fusion?: boolean;
  /** With this precision only. */
  readonly precision?: Precision;
  readonly apply: (graph: Graph, target: Target) => Graph;
}

/** Runs the passes in order; the graph is checked before the first and after each. */
export function optimize(structure: Graph, target: Target): Graph {
  let graph = structure;
  verify(graph, 'capture');
  debug(3, () => `[compile] graph as captured\n${printGraph(graph)}`);
  for (const pass of passes) {
    if (pass.fusion && !target.fuses) continue;
    if (pass.precision !== undefined && pass.precision !== target.precision) continue;
    graph = pass.apply(graph, target);
    verify(graph, pass.name);
    debug(4, () => `[compile] graph after ${pass.name}\n${printGraph(graph)}`);
  }
  debug(3, () => `[compile] graph after all passes\n${printGraph(graph)}`);
  return graph;
}
