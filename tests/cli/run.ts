import { run } from '../../src/cli/program.js';
import { expectSchema } from './schema.js';

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a command line in this process, as it would be run with both streams piped. Objects that it prints with `--json` must
 * have its schema.
 */
export async function runFovea(...args: string[]): Promise<Result> {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await run(args, { stdout: stream('out'), stderr: stream('err') });
  if (args.includes('--json')) for (const line of linesOf(written.out)) expectSchema(line);
  return { code, ...written };
}

/** The objects of JSON lines. */
export const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
