import { formatShape } from '../../graph/shape.js';
import { writeFileAtomic } from '../../io/files/atomic.js';
import { outputFile } from '../../io/files/outputs.js';
import { type BenchmarkResult, benchmark } from '../../measure/benchmark.js';
import type { Profile, ProfileTime } from '../../measure/profile.js';
import { formatCount, formatPercent, formatRate } from '../../text/numbers.js';
import type { Column } from '../../text/table.js';
import { applyEngine, type EngineOptions } from '../options.js';
import { print, printFacts, printJson, printTable, type Terminal } from '../terminal.js';

interface BenchCommandOptions extends EngineOptions {
  readonly batch: number;
  readonly inference?: boolean;
  readonly input?: readonly number[];
  readonly steps?: number;
  readonly warmup?: number;
  readonly profile?: boolean;
  readonly trace?: string;
  readonly json?: boolean;
}

export async function bench(model: string, options: BenchCommandOptions, terminal: Terminal): Promise<number> {
  applyEngine(options);
  const { json, engine: _, threads: __, trace: file, profile = file !== undefined, ...rest } = options;
  if (file !== undefined) await outputFile(file, 'bench');
  const { result, trace } = await benchmark({ model, profile, ...rest });
  if (file !== undefined && trace !== null) await writeFileAtomic(file, trace);
  if (json) {
    printJson(terminal, 'bench.result', result);
    return 0;
  }
  const { input, inference, precision, engine, threads, compileMs, firstMs, medianMs, minMs } = result;
  print(terminal, `${inference ? 'Inference' : 'Training step'} of ${model}, input ${formatShape(input)}`);
  printFacts(terminal, [
    ['engine', `${engine}, ${precision}, ${threads === 1 ? 'one thread' : `up to ${threads} threads`}`],
    ...productFacts(result),
    ['median', `${milliseconds(medianMs)}, ${formatRate(result.imagesPerSecond).replace('/s', '')} images/s`],
    ['fastest', milliseconds(minMs)],
    ['compilation', milliseconds(compileMs)],
    ['first step', milliseconds(firstMs)],
    ['peak memory', `${result.peakRssMiB.toFixed(0)} MiB (whole process)`],
  ]);
  if (result.profile !== undefined) printProfile(terminal, result.profile);
  if (file !== undefined) print(terminal, `\nThe profiled steps are in ${file}: open it at https://ui.perfetto.dev`);
  return 0;
}

function productFacts({ products }: BenchmarkResult): [string, string][] {
  if (products === undefined) return [];
  return [['in bf16', `${products.bfloat16} of ${products.total} products (convolutions and linear layers)`]];
}

const milliseconds = (ms: number) => `${ms.toFixed(ms < 10 ? 3 : 1)} ms`;

const right = (header: string): Column => ({ header, align: 'right' });
const timeColumns = [right('ms'), right('share'), right('GFLOP/s'), right('GB/s')];

function printProfile(terminal: Terminal, profile: Profile): void {
  const { steps, stepMs, kernelMs, otherMs, floorMs, kernels, layers, reorders } = profile;
  const decimals = kernelMs < 10 ? 4 : 2;
  const ms = (x: number) => (x === 0 ? '' : x.toFixed(decimals));
  const cells = ({ ms: time, share, gflops, gigabytesPerSecond }: ProfileTime) => [
    ms(time),
    formatPercent(share, 1),
    gflops === null ? '' : formatCount(gflops),
    gigabytesPerSecond === null ? '' : gigabytesPerSecond.toFixed(1),
  ];
  const section = (title: string, columns: readonly Column[], rows: readonly (readonly string[])[]) => {
    print(terminal, `\n${title}`);
    printTable(terminal, [...columns, ...timeColumns], rows, { indent: 2 });
  };

  print(terminal, `\nProfile: medians over ${steps} more ${steps === 1 ? 'step' : 'steps'}`);
  printFacts(terminal, [
    ['step', milliseconds(stepMs)],
    ['kernels', `${milliseconds(kernelMs)}; a step does other things for ${milliseconds(otherMs)}`],
    ['floor', `${milliseconds(floorMs)} in convolutions and linear layers alone`],
    ['step / floor', floorMs === 0 ? '–' : (stepMs / floorMs).toFixed(2)],
  ]);
  section(
    'By kernel',
    [{ header: 'kernel' }, { header: 'implementation' }, right('calls')],
    kernels.map((row) => [row.kernel, row.implementation, String(row.calls), ...cells(row)]),
  );
  section(
    'By layer',
    [{ header: 'layer' }, right('forward'), right('backward'), right('update')],
    layers.map((row) => {
      const parts = [row.forwardMs, row.backwardMs, row.updateMs].map(ms);
      return [row.layer === '' ? '(no layer)' : row.layer, ...parts, ...cells(row)];
    }),
  );
  if (reorders.length === 0) return;
  section(
    'Changes of layout or type',
    [{ header: 'for' }, { header: 'shape' }, { header: 'from' }, { header: 'to' }, right('calls')],
    reorders.map((row) => {
      const place = row.layer === '' ? row.part : `${row.layer} ${row.part}`;
      return [place, formatShape(row.shape), row.from, row.to, String(row.calls), ...cells(row)];
    }),
  );
}
