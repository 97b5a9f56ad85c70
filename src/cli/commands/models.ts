import { InputError } from '../../errors.js';
import { type ModelFacts, type ModelSpeed, matchingModels, modelFacts } from '../../measure/modelFacts.js';
import { keptSpeeds, measureSpeed } from '../../measure/modelSpeeds.js';
import { formatCount, formatRate } from '../../text/numbers.js';
import { applyEngine, type EngineOptions } from '../options.js';
import { complain, print, printJson, printTable, type Terminal } from '../terminal.js';

interface ModelsCommandOptions extends EngineOptions {
  readonly measure?: boolean;
  readonly batch?: number;
  readonly steps?: number;
  readonly json?: boolean;
}

const usualBatch = 10;

/** Lists networks with their sizes, weights and speeds here. */
export async function models(
  pattern: string | undefined,
  options: ModelsCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const names = matchingModels(pattern);
  const { measure = false, batch = usualBatch, steps, json = false, ...engine } = options;
  if (!measure && (options.batch !== undefined || steps !== undefined)) {
    throw new InputError('[models] --batch, --steps: expected with --measure only, got one without; add it');
  }
  if (measure) applyEngine(engine);
  const known = measure ? {} : await keptSpeeds();
  const rows: (readonly [ModelFacts, ModelSpeed | null])[] = [];
  for (const [i, name] of names.entries()) {
    const facts = modelFacts(name);
    if (measure) terminal.stderr.write(`measuring ${name} (${i + 1} of ${names.length})\n`);
    const speed = measure ? await measureSpeed(name, batch, steps) : (known[name] ?? null);
    if (measure && speed === null)
      complain(terminal, `[models] ${name}: a step of ${batch} images does not fit into the memory`);
    if (json) printJson(terminal, 'models.model', { ...facts, speed });
    rows.push([facts, speed]);
  }
  if (json) return 0;
  const right = (header: string) => ({ header, align: 'right' }) as const;
  printTable(
    terminal,
    [
      { header: 'name' },
      right('parameters'),
      right('MACs'),
      { header: 'input' },
      { header: 'weights' },
      right('trained/s'),
      right('predicted/s'),
    ],
    rows.map(([{ name, parameters, macs, input, weights }, speed]) => [
      name,
      formatCount(parameters),
      macs >= 1e8 ? `${(macs / 1e9).toFixed(2)} G` : `${(macs / 1e6).toFixed(1)} M`,
      input.join('×'),
      weights ?? 'by path',
      speed === null ? '–' : formatRate(speed.train).replace('/s', ''),
      speed === null ? '–' : formatRate(speed.predict).replace('/s', ''),
    ]),
  );
  if (rows.some(([, speed]) => speed === null)) {
    print(terminal, '\n–: not measured here yet; --measure does so, and keeps it');
  }
  return 0;
}
