import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { z } from 'zod';
import { requireEffect } from '../../effect.js';
import { FileError, InputError } from '../../errors.js';
import { outputFile } from '../../io/files/outputs.js';
import type { PaddleOptimizer } from '../../io/formats/paddle/pdopt.js';
import type { Safetensors } from '../../io/formats/safetensors.js';
import type { TensorData } from '../../io/formats/tensorData.js';
import { readPdopt, savePdopt, writePdopt } from '../../io/weights/pdopt.js';
import { readPdparams, savePdparams, writePdparams } from '../../io/weights/pdparams.js';
import { loadSafetensors, saveSafetensors } from '../../io/weights/safetensors.js';
import { openRun } from '../../run/evaluate.js';
import { makeOptimizer } from '../../run/optimizers.js';
import { readWeightsRecord } from '../../run/pretrained.js';
import { recordMetadata, recordText, weightsRecordOf } from '../../run/weightsRecord.js';
import { formatCount } from '../../text/numbers.js';
import { parseRecord } from '../../text/record.js';
import { schedule } from '../../train/checkpoint/schema.js';
import { print, printFacts, printJson, type Terminal } from '../terminal.js';

interface ConvertOptions {
  readonly force?: boolean;
  readonly names?: string;
  readonly protocol?: '2' | '4';
  readonly json?: boolean;
}

/** Notes about the conversion. */
interface Converted {
  readonly tensors: Iterable<TensorData>;
  readonly notes?: readonly string[];
}

type Metadata = Safetensors['metadata'];
type Conversion = (input: string, output: string, options: ConvertOptions) => Promise<Converted>;

/** Keys of the metadata of safetensors files, with JSON as values. */
const namesKey = 'parameterNames';
const scheduleKey = 'schedule';

/** Paddle's names of parameters by the names of weights. */
const namesTable = z.record(z.string(), z.string());

const conversions: Readonly<Record<string, Conversion>> = {
  '.pdparams .safetensors': async (input, output) => {
    const { tensors, parameterNames, types } = await readPdparams(input);
    await saveSafetensors(tensors, output, {
      ...(parameterNames.size > 0 && { [namesKey]: toJson(parameterNames) }),
      ...recordMetadata(await readWeightsRecord(input)),
    });
    const changed = new Map<string, number>();
    for (const [name, type] of types) {
      if (['f4', 'i4', 'u1'].includes(type)) continue;
      const change = `${type} to ${tensors.get(name)?.dtype}`;
      changed.set(change, (changed.get(change) ?? 0) + 1);
    }
    return { tensors: tensors.values(), notes: [...changed].map(([change, count]) => `${change} in ${count} of them`) };
  },

  '.safetensors .pdparams': async (input, output, { names, protocol }) => {
    const { tensors, metadata } = await loadSafetensors(input);
    const parameterNames = names === undefined ? namesIn(metadata, input) : await namesOf(names);
    const record = await readWeightsRecord(input);
    await writePdparams(tensors, output, {
      parameterNames: parameterNames ?? new Map(),
      protocol: numberOf(protocol),
      note: record && recordText(record),
    });
    return { tensors: tensors.values() };
  },

  '.pdopt .safetensors': async (input, output, { names }) => {
    const { states, schedule } = await readPdopt(input);
    const beside = `${input.slice(0, -extname(input).length)}.pdparams`;
    const source = names ?? (existsSync(beside) ? beside : null);
    const known = source === null ? new Map<string, string>() : (await readPdparams(source)).parameterNames;
    if (names !== undefined) requireNames(known, names);
    const own = new Map([...known].map(([name, paddleName]) => [paddleName, name]));
    const tensors = new Map<string, TensorData>();
    const parameterNames = new Map<string, string>();
    for (const [paddleName, kinds] of states) {
      const name = own.get(paddleName) ?? paddleName;
      parameterNames.set(name, paddleName);
      for (const [kind, state] of kinds) tensors.set(`${name}.${kind}`, state);
    }
    await saveSafetensors(tensors, output, {
      [namesKey]: toJson(parameterNames),
      ...(schedule !== null && { [scheduleKey]: JSON.stringify(schedule) }),
    });
    const note =
      known.size === 0 ? "parameters keep Paddle's names (no --names)" : `names of parameters from ${source}`;
    return { tensors: tensors.values(), notes: [note] };
  },

  '.safetensors .pdopt': async (input, output, { names, protocol }) => {
    const { tensors, metadata } = await loadSafetensors(input);
    const parameterNames = names === undefined ? namesIn(metadata, input) : await namesOf(names);
    if (parameterNames === null) {
      throw new InputError(
        `[convert] ${input}: expected to know Paddle's names of the parameters, got none; ` +
          'convert the run folder itself, or give --names FILE, a .pdparams file that Paddle saved of the same network',
      );
    }
    const states = new Map<string, Map<string, TensorData>>();
    for (const [key, state] of tensors) {
      const end = key.lastIndexOf('.');
      const paddleName = parameterNames.get(key.slice(0, end));
      if (paddleName === undefined) {
        throw new InputError(
          `[convert] ${input}: ${key}: expected a name for its parameter, got none in ${names ?? 'the file'}`,
        );
      }
      states.set(paddleName, (states.get(paddleName) ?? new Map<string, TensorData>()).set(key.slice(end + 1), state));
    }
    if ([...states.values()].some((own) => own.has('moment2') && !own.has('beta1_pow_acc'))) {
      throw new InputError(
        `[convert] ${input}: expected the powers of Adam's betas, got none; convert the run folder itself`,
      );
    }
    const schedule = scheduleIn(metadata, input);
    await writePdopt({ states, schedule }, output, { protocol: numberOf(protocol) });
    return { tensors: tensors.values() };
  },

  'run .pdparams': async (input, output, { protocol }) => {
    const { folder, network } = await openRun(input);
    const note = recordText(weightsRecordOf(folder.config));
    await savePdparams(network, output, { protocol: numberOf(protocol), note });
    return { tensors: (await readPdparams(output)).tensors.values() };
  },

  'run .pdopt': async (input, output, { protocol }) => {
    const { folder, network } = await openRun(input);
    const optimizer = makeOptimizer(folder.config.recipe.optimizer, network.parameters());
    await folder.loadOptimizer(optimizer, network);
    optimizer.learningRate = folder.state.training.learningRate;
    await savePdopt(optimizer, network, output, { protocol: numberOf(protocol) });
    const { states } = await readPdopt(output);
    return { tensors: [...states.values()].flatMap((own) => [...own.values()]) };
  },
};

/** The conversions for which --names is useful. */
const namedConversions = ['.safetensors .pdparams', '.pdopt .safetensors', '.safetensors .pdopt'];

export async function convert(input: string, output: string, options: ConvertOptions, terminal: Terminal) {
  const isFolder = (await stat(input).catch(() => null))?.isDirectory() ?? false;
  const [from, to] = [isFolder ? 'run' : extname(input), extname(output)];
  const conversion = conversions[`${from} ${to}`];
  if (conversion === undefined) {
    throw new InputError(
      `[convert] ${input} to ${output}: expected .pdparams or .pdopt to .safetensors or back, or a run to .pdparams or ` +
        `.pdopt, got ${from === 'run' ? 'a run' : from || 'no ending'} to ${to || 'no ending'}`,
    );
  }
  requireEffect('convert', options, {
    names: () => (namedConversions.includes(`${from} ${to}`) ? null : `${from} to ${to} needs no names`),
    protocol: () => (to === '.safetensors' ? 'a .safetensors file has no pickle' : null),
  });
  await checkOutput(output, options.force ?? false);
  const { tensors, notes = [] } = await conversion(input, output, options);
  const counts = { tensors: 0, values: 0 };
  for (const { data } of tensors) {
    counts.tensors++;
    counts.values += data.length;
  }
  const { size: bytes } = await stat(output);
  if (options.json) printJson(terminal, 'convert.result', { input, output, ...counts, bytes, notes });
  else {
    print(terminal, `${input} → ${output}\n`);
    printFacts(terminal, [
      ['tensors', formatCount(counts.tensors)],
      ['values', formatCount(counts.values)],
      ['bytes', formatCount(bytes)],
      ...notes.map((note) => ['note', note] as const),
    ]);
  }
  return 0;
}

async function checkOutput(output: string, force: boolean): Promise<void> {
  await outputFile(output, 'convert');
  if (!force && existsSync(output)) {
    throw new InputError(
      `[convert] ${output}: expected a new file, got one that is there; give --force to overwrite it`,
    );
  }
}

async function namesOf(path: string): Promise<ReadonlyMap<string, string>> {
  return requireNames((await readPdparams(path)).parameterNames, path);
}

function requireNames(names: ReadonlyMap<string, string>, path: string): ReadonlyMap<string, string> {
  if (names.size > 0) return names;
  throw new FileError(
    `[convert] ${path}: expected a table of Paddle's names of parameters, got none; save the file with Paddle`,
  );
}

const numberOf = (protocol: '2' | '4' | undefined) => (protocol === '2' ? 2 : 4);

const toJson = (names: ReadonlyMap<string, string>) => JSON.stringify(Object.fromEntries(names));

function namesIn(metadata: Metadata, path: string): ReadonlyMap<string, string> | null {
  const text = metadata[namesKey];
  return text === undefined
    ? null
    : new Map(Object.entries(parseRecord(namesTable, 'names', text, `${path}, ${namesKey}`)));
}

function scheduleIn(metadata: Metadata, path: string): PaddleOptimizer['schedule'] {
  const text = metadata[scheduleKey];
  return text === undefined ? null : parseRecord(schedule, 'schedule', text, `${path}, ${scheduleKey}`);
}
