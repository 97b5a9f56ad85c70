import type { Graph } from '../compiler/graph.js';
import { optimize, unfused } from '../compiler/optimize.js';
import type { Engine, Program, Watch } from '../engine/engine.js';
import { type MemoryNeed, needOf, requireMemory } from '../engine/memory.js';
import { debug } from '../env.js';
import { MemoryError, requireFinite } from '../errors.js';
import { bytesPerElement } from '../graph/dtype.js';
import type { Assignment, Value } from '../graph/node.js';
import { numel } from '../graph/shape.js';
import type { Storage } from '../graph/storage.js';
import { type Capture, capture, hasStructure, toGraph } from './capture.js';
import { type CompiledGraph, ProgramCache } from './programs.js';

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

/**
 * How many programs have been compiled since the process began. A training loop stands still at one a batch
 * shape.
 */
export function compilationCount(): number {
  return compilations;
}

/**
 * Computes `values` that have no data yet and carries out `assigned` and the assignments of nodes on the way,
 * all in one program. Values whose storage is overwritten keep their old contents.
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
  // If the capture fails, only these assignments have to be undone.
  let begun: Pick<Capture, 'nodes' | 'assignments'> = { nodes: [], assignments: assigned };
  try {
    for (const value of finite) if (value.storage !== null) requireFinite(value.current().read()[0]);
    const captured = capture(wanted, assigned, finite);
    begun = captured;
    const { nodes, assignments } = captured;
    // Requested values that this program overwrites are copied out first.
    const saved = values.filter(
      ({ storage: read }) => read !== null && assignments.some(({ storage }) => storage === read),
    );
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

/** Targets that were not overwritten (a label was out of range) keep their contents. */
function release({ nodes, assignments }: Pick<Capture, 'nodes' | 'assignments'>): void {
  for (const { target } of assignments) target.committed();
  for (const node of nodes) node.assignments = null;
}

/**
 * Computes values without the passes that fuse nodes, so that `watch` sees the result of each. Nothing is
 * assigned, and the values stay lazy.
 *
 * @throws {MemoryError} if there is not enough memory; nothing has been computed then
 */
export function watchNodes(engine: Engine, values: readonly Value[], watch: Watch): void {
  const captured = capture(values, []);
  const graph = optimize(toGraph({ ...captured, assignments: [] }), unfused);
  const program = engine.compile(graph, { watch, keepsNonFinite: true });
  try {
    // Without fused nodes and without an update it needs another amount of memory than the program of the
    // step.
    requireMemory(needFor(engine, program, captured));
    program.run(captured.sources);
  } finally {
    program.dispose();
    release(captured);
  }
}

/**
 * Compiles the program that {@link realize} would run, and returns the memory that it needs. Nothing runs,
 * the values stay lazy, and inputs need not have data. If there is enough memory, the program is there when
 * such values are realized.
 */
export function plan(
  engine: Engine,
  values: readonly Value[],
  assigned: readonly Assignment[],
  finite: readonly Value[],
): MemoryNeed {
  let begun: Pick<Capture, 'nodes' | 'assignments'> = { nodes: [], assignments: assigned };
  try {
    const captured = capture(values, assigned, finite);
    begun = captured;
    const compiled = lookUp(engine, captured);
    const need = needFor(engine, compiled.program, captured);
    if (need.working + need.resident > need.budget) programsOf(engine).drop(compiled);
    return need;
  } finally {
    release(begun);
  }
}

function needFor(engine: Engine, { memory }: Program, { sources }: Capture): MemoryNeed {
  const sizeOf = ({ shape, dtype }: Storage) => numel(shape) * bytesPerElement(dtype);
  const held = sources.reduce((sum, source) => sum + (source.persistent ? sizeOf(source) : 0), engine.heldBytes);
  return needOf(memory, held, engine.addressable);
}

function run(engine: Engine, captured: Capture): void {
  const compiled = admitted(engine, captured);
  const { program } = compiled;
  const start = performance.now();
  const storages = program.run(captured.sources);
  // The first run allocates the memory that is kept for the next ones.
  if (!compiled.admitted) programsOf(engine).trim();
  compiled.admitted = true;
  debug(5, () => `[run] ${captured.nodes.length} nodes in ${(performance.now() - start).toFixed(3)} ms`);
  captured.values.forEach((value, i) => {
    value.realize(storages[i]);
  });
}

/** The program for these sources, after a check that there is memory for it. */
function admitted(engine: Engine, captured: Capture): CompiledGraph {
  const fast = lookUp(engine, captured);
  if (fast.program.finiteSources.every((source) => captured.sources[source].isFinite()))
    return admit(engine, fast, captured);
  try {
    return admit(engine, lookUp(engine, captured, true), captured);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    // It needs more memory. A training stops with an error; other computations get numbers in place of NaN.
    if (captured.finite.length > 0) requireFinite(Number.NaN);
    return admit(engine, lookUp(engine, captured), captured);
  }
}

/** @throws {MemoryError} if there is not enough memory even without what other programs keep */
function admit(engine: Engine, compiled: CompiledGraph, captured: Capture): CompiledGraph {
  if (compiled.admitted) return compiled;
  const { working, resident, budget } = needFor(engine, compiled.program, captured);
  if (working + resident > budget) programsOf(engine).trim(0);
  requireMemory(needFor(engine, compiled.program, captured));
  return compiled;
}

/** @param keepsNonFinite whether NaN and infinities propagate as in plain arithmetic */
function lookUp(engine: Engine, captured: Capture, keepsNonFinite = false): CompiledGraph {
  const programs = programsOf(engine);
  const settings = `${engine.settingsKey}${keepsNonFinite ? ' keeping what is not finite' : ''}`;
  const found = programs.find(settings, (structure) => hasStructure(captured, structure));
  if (found !== null) return found;
  const compiled = compile(engine, toGraph(captured), settings, keepsNonFinite);
  programs.add(compiled);
  return compiled;
}

function compile(engine: Engine, structure: Graph, settings = '', keepsNonFinite = false): CompiledGraph {
  const start = performance.now();
  const graph = optimize(structure, keepsNonFinite ? unfused : engine);
  const program = engine.compile(graph, { keepsNonFinite });
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
