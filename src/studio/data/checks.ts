import { execFile } from 'node:child_process';
import type { DataCheckState, DataFinding } from '../api.js';

interface CheckOutput {
  readonly findings: readonly DataFinding[];
  readonly shortcuts: readonly { readonly property: string; readonly suspicious?: boolean }[];
  readonly leftOut: readonly string[];
}

/** Findings of a check may be many. */
const mostBytes = 2 ** 28;

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
    const [file, ...first] = this.#program;
    const options = { cwd: this.#root, signal: this.#signal, maxBuffer: mostBytes };
    execFile(file, [...first, 'data', 'check', data, '--json'], options, (error, stdout, stderr) => {
      this.#states.set(data, error === null ? doneOf(stdout) : { state: 'failed', message: reason(stderr, error) });
    });
    return this.state(data);
  }
}

function doneOf(stdout: string): DataCheckState {
  const { findings, shortcuts, leftOut } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as CheckOutput;
  const suspicious = shortcuts.flatMap((one) => (one.suspicious === true ? [one.property] : []));
  return { state: 'done', findings, shortcuts: suspicious, leftOut };
}

function reason(stderr: string, error: Error): string {
  return (
    stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^fovea: /, '') || error.message
  );
}
