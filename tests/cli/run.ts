import { run } from '../../src/cli/program.js';

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, as it would be run with both streams piped. */
export async function runFovea(...args: string[]): Promise<Result> {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await run(args, { stdout: stream('out'), stderr: stream('err') });
  return { code, ...written };
}

/** The objects of JSON lines. */
export const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
