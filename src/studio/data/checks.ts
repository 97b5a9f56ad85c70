import { messageOf } from '../../errors.js';
import type { PropertyCounts } from '../../run/dataCheck/propertyCounts.js';
import type { DataCheckState, DataFinding } from '../api.js';
import { resultOf } from '../program.js';

interface CheckOutput {
  readonly findings: readonly DataFinding[];
  readonly shortcuts: readonly { readonly property: string; readonly suspicious?: boolean }[];
  readonly leftOut: readonly string[];
  readonly classNames: readonly string[];
  readonly properties: readonly PropertyCounts[];
}

const mostValues = 8;

/** Checks of data sets, which the command line carries out in processes of their own. */
export class DataChecks {
  readonly #states = new Map<string, DataCheckState>();
  readonly #program: readonly string[];
  readonly #root: string;
  readonly #signal: AbortSignal;

  constructor(program: readonly string[], root: string, signal: AbortSignal) {
    this.#program = program;
    this.#root = root;
    this.#signal = signal;
  }

  state(data: string): DataCheckState {
    return this.#states.get(data) ?? { state: 'none' };
  }

  /** Begins a check, unless one is running. */
  start(data: string): DataCheckState {
    if (this.state(data).state === 'running') return this.state(data);
    this.#states.set(data, { state: 'running' });
    resultOf<CheckOutput>(this.#program, this.#root, ['data', 'check', data], this.#signal).then(
      ({ findings, shortcuts, ...found }) => {
        const suspicious = shortcuts.flatMap((one) => (one.suspicious === true ? [one.property] : []));
        this.#states.set(data, { state: 'done', findings, shortcuts: suspicious, ...chosen(found) });
      },
      (error: unknown) => this.#states.set(data, { state: 'failed', message: messageOf(error) }),
    );
    return this.state(data);
  }
}

/** The most frequent values of each property. */
function chosen({ leftOut, classNames, properties }: Pick<CheckOutput, 'leftOut' | 'classNames' | 'properties'>) {
  const shown = properties.map(({ property, values }) => ({ property, values: values.slice(0, mostValues) }));
  return { leftOut, classNames, properties: shown };
}
