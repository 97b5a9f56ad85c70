import { basename, join, resolve } from 'node:path';
import { formatCount } from '../../../text/numbers.js';
import { Progress } from '../../../text/progress.js';
import { synthesizePalm } from '../../../vision/palm/synth.js';
import { Interruption } from '../../interrupt.js';
import { complain, ownCommand, print, printFacts, printJson, quoted, type Terminal } from '../../terminal.js';

interface SynthCommandOptions {
  readonly out: string;
  readonly train: number;
  readonly validation: number;
  readonly size: number;
  readonly seed: number;
  readonly workers?: number;
  readonly json?: boolean;
}

export async function synthData(options: SynthCommandOptions, terminal: Terminal): Promise<number> {
  const { out, train, validation, size, seed, workers: numWorkers, json = false } = options;
  const interruption = new Interruption(terminal, 'finishing the pictures at hand');
  const { signal } = interruption;
  const progress = new Progress({
    label: 'drawing',
    total: train + validation,
    unit: 'pictures',
    stream: terminal.stderr,
    mode: json ? 'silent' : 'auto',
  });
  const onProgress = ({ done }: { readonly done: number }) => progress.update(done);
  try {
    const summary = await synthesizePalm({ out, train, validation, size, seed, numWorkers, onProgress, signal });
    progress.finish();
    // No other file may be in the folder itself, so that the same call finds the folder unchanged.
    const imported = join(out, '..', `${basename(resolve(out))}-imported`);
    const next = `${ownCommand()} data palm import ${quoted(out)} --out ${quoted(imported)}`;
    if (json) {
      printJson(terminal, 'data.palm.synth', { synthetic: true, ...summary, next });
      return 0;
    }
    const kinds = ({ N, H, P }: typeof summary.train) =>
      `${formatCount(N + H + P)}: ${formatCount(P)} pathologic, ${formatCount(H)} highly myopic, ${formatCount(N)} normal`;
    const { Zeiss, Canon } = summary.cameras;
    print(terminal, `A stand-in for iChallenge-PM in ${out}`);
    print(terminal, 'SYNTHETIC: drawn by a program, no photographs of eyes. Metrics say nothing about patients.');
    printFacts(terminal, [
      ['training', kinds(summary.train)],
      ['validation', kinds(summary.validation)],
      ['cameras', `${formatCount(Zeiss)} as of a Zeiss, ${formatCount(Canon)} as of a Canon`],
      ['width', `${summary.size} pixels`],
      ['seed', String(summary.seed)],
      ['files', summary.files.join(', ')],
    ]);
    print(terminal, `\nContinue with:\n  ${next}`);
    return 0;
  } catch (error) {
    progress.stop();
    if (!signal.aborted || error !== signal.reason) throw error;
    complain(terminal, 'stopped; the same command continues the drawing');
    return interruption.exitCode;
  } finally {
    interruption.end();
  }
}
