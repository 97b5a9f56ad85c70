import { constantValues } from '../../compiler/constants.js';
import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';

/** Facts about a graph that a lowering asks for. */
export class GraphFacts {
  readonly #lastUses = new Map<GraphValue, number>();
  readonly #targets = new Map<GraphValue, GraphValue>();
  readonly #overwritten = new Set<GraphValue>();
  readonly #persistent = new Set<GraphValue>();
  readonly #finite = new Set<GraphValue>();
  readonly #constants: ReadonlySet<GraphValue>;

  constructor(readonly graph: Graph) {
    graph.nodes.forEach((node, i) => {
      for (const input of node.inputs) this.#lastUses.set(input, i);
    });
    for (const { value, into, finite } of graph.outputs) {
      if (finite) this.#finite.add(value);
      if (into >= 0) {
        const target = graph.sources[into].value;
        this.#targets.set(value, target);
        this.#overwritten.add(target);
      }
      this.#lastUses.set(value, Number.POSITIVE_INFINITY);
    }
    for (const { value, persistent } of graph.sources) if (persistent) this.#persistent.add(value);
    this.#constants = constantValues(graph);
  }

  /**
   * Index of the last node that reads the value: infinite for an output of the program, -1 if nothing reads
   * it.
   */
  lastUse(value: GraphValue): number {
    return this.#lastUses.get(value) ?? -1;
  }

  isUsed(value: GraphValue): boolean {
    return this.#lastUses.has(value);
  }

  /** The source that the value overwrites at the end. */
  targetOf(value: GraphValue): GraphValue | undefined {
    return this.#targets.get(value);
  }

  /** Whether the program overwrites this source. */
  isOverwritten(source: GraphValue): boolean {
    return this.#overwritten.has(source);
  }

  /** Whether the value is a source that stays in the engine's memory between runs. */
  isPersistent(value: GraphValue): boolean {
    return this.#persistent.has(value);
  }

  /** Whether the program fails unless this number is finite. */
  mustBeFinite(value: GraphValue): boolean {
    return this.#finite.has(value);
  }

  /** Whether the value is the same in every run until a source is overwritten from outside. */
  isConstant(value: GraphValue): boolean {
    return this.#constants.has(value);
  }

  /** Whether a node computes nothing but constants. */
  computesConstants({ outputs }: GraphNode): boolean {
    return outputs.every((output) => this.#constants.has(output));
  }

  /** Whether one operand of one node is all that reads this source, and nothing overwrites it. */
  isReadOnce(source: GraphValue): boolean {
    if (this.isUsedByOutputs(source) || this.isOverwritten(source)) return false;
    return (
      this.graph.nodes.reduce((uses, { inputs }) => uses + inputs.filter((input) => input === source).length, 0) === 1
    );
  }

  isUsedByOutputs(value: GraphValue): boolean {
    return this.lastUse(value) === Number.POSITIVE_INFINITY;
  }
}
