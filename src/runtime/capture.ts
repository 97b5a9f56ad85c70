import { type Graph, GraphNode, type GraphOutput, GraphValue } from '../compiler/graph.js';
import { InternalError } from '../errors.js';
import { equalData } from '../graph/equal.js';
import { type Assignment, type AssignmentTarget, type Node, staleTensor, type Value } from '../graph/node.js';
import type { Storage } from '../graph/storage.js';
import { someSource, waitingStates } from '../graph/waiting.js';
import { inOrder, newWalk } from '../graph/walk.js';

/** Everything that has to run to realize some values: the lazy graph cut out, in order. */
export interface Capture {
  /** Nodes in order of creation. `node.place` is the index. */
  readonly nodes: readonly Node[];
  /** Distinct storages that the nodes read or the assignments write. `storage.place` is the index. */
  readonly sources: readonly Storage[];
  /** Values to deliver as new arrays. */
  readonly values: readonly Value[];
  /** Storages to overwrite. */
  readonly assignments: readonly Assignment[];
  /** Those of the values that have to be finite numbers. */
  readonly finite: readonly Value[];
}

/**
 * Collects the graph behind `values` and `assigned`, and behind every pending assignment of a node on the
 * way. States that wait for data that will be overwritten join, since they could not be computed later. With
 * `assigned`, as in a training step, all states that wait on the same graph join: such as the running
 * statistics of a layer whose output the loss does not use.
 *
 * @throws {StaleTensorError} if one of the values depends on data that have been overwritten
 */
export function capture(
  values: readonly Value[],
  assigned: readonly Assignment[],
  finite: readonly Value[] = [],
): Capture {
  const walk = newWalk();
  const nodes: Node[] = [];
  const sources: Storage[] = [];
  const assignments: Assignment[] = [];
  const pending: Value[] = [];

  const addSource = (storage: Storage) => {
    if (storage.mark === walk) return;
    storage.mark = walk;
    storage.place = sources.length;
    sources.push(storage);
  };
  /** Targets that are not to be assigned again. */
  let renewed: Set<AssignmentTarget> | null = null;
  const assign = (assignment: Assignment) => {
    if (assignment.target.value !== assignment.value || renewed?.has(assignment.target)) return;
    renewed?.add(assignment.target);
    assignments.push(assignment);
    pending.push(assignment.value);
  };

  const collect = () => {
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (value.storage !== null) {
        if (value.stale) throw staleTensor((wantedBy(value, values, assignments) ?? value).shape);
        addSource(value.storage);
        continue;
      }
      const { node } = value;
      if (node === null) throw new InternalError('a value with neither data nor a node');
      if (node.mark === walk) continue;
      node.mark = walk;
      nodes.push(node);
      for (const input of node.inputs) pending.push(input);
      if (node.assignments !== null) for (const assignment of node.assignments) assign(assignment);
    }
  };

  for (const value of values) pending.push(value);
  for (const assignment of assigned) assign(assignment);
  collect();

  const isStep = assigned.length > 0;
  const waiting = assignments.length > 0 ? waitingStates() : [];
  for (let found = waiting.length > 0; found; ) {
    renewed = new Set(assignments.map(({ target }) => target));
    const overwritten = new Set(assignments.map(({ storage }) => storage));
    const joins = ({ storage, node }: Value) =>
      (storage !== null && overwritten.has(storage)) || (isStep && (storage ?? node)?.mark === walk);
    const joining = waiting.filter((target) => !renewed?.has(target) && someSource(target.value, joins));
    for (const target of joining) assign({ target, value: target.value, storage: target.storage });
    collect();
    found = joining.length > 0;
  }
  for (const { storage } of assignments) addSource(storage);
  const ordered = inOrder(nodes);
  for (let i = 0; i < ordered.length; i++) ordered[i].place = i;
  return { nodes: ordered, sources, values, assignments, finite };
}

/** A value that depends on another: one of the wanted values if there is one, else an assigned one. */
function wantedBy(value: Value, values: readonly Value[], assignments: readonly Assignment[]): Value | undefined {
  const roots = [...values, ...assignments.map((assignment) => assignment.value)];
  return roots.find((root) => someSource(root, (source) => source === value));
}

/** Copies the captured structure into a graph for the compiler; it keeps no data and no lazy values alive. */
export function toGraph({ nodes, sources, values, assignments, finite }: Capture): Graph {
  const graphSources = sources.map((storage, i) => ({
    value: new GraphValue(storage.shape, storage.dtype, null, i),
    persistent: storage.persistent,
  }));
  const graphNodes: GraphNode[] = [];
  const toValue = (value: Value): GraphValue =>
    value.storage !== null
      ? graphSources[value.storage.place].value
      : graphNodes[(value.node as Node).place].outputs[value.index];
  for (const node of nodes) {
    const copy = new GraphNode(node.op, node.params, node.inputs.map(toValue), node.outputs);
    copy.origin = node.origin;
    graphNodes.push(copy);
  }
  const outputs: GraphOutput[] = [
    ...values.map((value) => ({ value: toValue(value), into: -1, finite: finite.includes(value) })),
    ...assignments.map(({ value, storage }) => ({ value: toValue(value), into: storage.place })),
  ];
  return { sources: graphSources, nodes: graphNodes, outputs };
}

/** Whether a capture has exactly the structure of a graph that was made by {@link toGraph}. */
export function hasStructure({ nodes, sources, values, assignments, finite }: Capture, graph: Graph): boolean {
  if (nodes.length !== graph.nodes.length || sources.length !== graph.sources.length) return false;
  if (values.length + assignments.length !== graph.outputs.length) return false;
  for (let i = 0; i < sources.length; i++) {
    const { value, persistent } = graph.sources[i];
    const storage = sources[i];
    if (storage.dtype !== value.dtype || storage.persistent !== persistent) return false;
    if (!equalData(storage.shape, value.shape)) return false;
  }
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    const other = graph.nodes[i];
    if (node.op !== other.op || node.inputs.length !== other.inputs.length) return false;
    for (let j = 0; j < node.inputs.length; j++) if (!sameValue(node.inputs[j], other.inputs[j], graph)) return false;
    if (!equalData(node.params, other.params)) return false;
  }
  for (let i = 0; i < graph.outputs.length; i++) {
    const { value, into, finite: guarded = false } = graph.outputs[i];
    const assignment = i < values.length ? null : assignments[i - values.length];
    if (into !== (assignment === null ? -1 : assignment.storage.place)) return false;
    if (guarded !== (assignment === null && finite.includes(values[i]))) return false;
    if (!sameValue(assignment === null ? values[i] : assignment.value, value, graph)) return false;
  }
  return true;
}

function sameValue(value: Value, other: GraphValue, graph: Graph): boolean {
  if (value.storage !== null) return other.producer === null && other.index === value.storage.place;
  const node = value.node as Node;
  return other.index === value.index && other.producer === graph.nodes[node.place];
}
