import { formatShape } from '../../graph/shape.js';
import { benchmark } from '../../model/benchmark.js';
import { formatRate } from '../../model/format.js';
import { applyEngine, type EngineOptions } from '../options.js';
import { print, printFacts, printJson, type Terminal } from '../terminal.js';

interface BenchCommandOptions extends EngineOptions {
  readonly batch: number;
  readonly input?: readonly number[];
  readonly steps?: number;
  readonly warmup?: number;
  readonly json?: boolean;
}

export async function bench(model: string, options: BenchCommandOptions, terminal: Terminal): Promise<number> {
  applyEngine(options);
  const { json, engine: _, threads: __, ...rest } = options;
  const result = await benchmark({ model, ...rest });
  if (json) {
    printJson(terminal, result);
    return 0;
  }
  const { input, precision, engine, threads, compileMs, medianMs, minMs, imagesPerSecond, peakRssMiB } = result;
  print(terminal, `Training step of ${model}, input ${formatShape(input)}`);
  printFacts(terminal, [
    ['engine', `${engine}, ${precision}, ${threads === 1 ? 'one thread' : `up to ${threads} threads`}`],
    ['median', `${milliseconds(medianMs)}, ${formatRate(imagesPerSecond).replace('/s', '')} images/s`],
    ['fastest', milliseconds(minMs)],
    ['compilation', milliseconds(compileMs)],
    ['peak memory', `${peakRssMiB.toFixed(0)} MiB (whole process)`],
  ]);
  return 0;
}

const milliseconds = (ms: number) => `${ms.toFixed(ms < 10 ? 3 : 1)} ms`;
