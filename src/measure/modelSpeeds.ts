import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { engineInfo } from '../engine/select.js';
import { MemoryError } from '../errors.js';
import { makeFolder, writeFileAtomic } from '../io/files/atomic.js';
import { readText } from '../io/files/input.js';
import { cacheFolder } from '../platform/node/cacheFolder.js';
import { parseJson } from '../text/json.js';
import { version } from '../version.js';
import { benchmark } from './benchmark.js';
import { type ModelSpeed, modelSpeed } from './modelFacts.js';

/** Speeds by machine and engine, and by network. */
const kept = z.strictObject({ format: z.literal(1), speeds: z.record(z.string(), z.record(z.string(), modelSpeed)) });

const speedsFile = () => join(cacheFolder(), 'model-speeds.json');

/** Speeds of another processor, engine or version are not those of this one. */
function setting(): string {
  const { name, description, threads, precision, convolution } = engineInfo();
  return [version, cpus()[0]?.model.trim() ?? 'unknown', name, description, threads, precision, convolution].join('; ');
}

/** The speeds that were measured here before, by network. A file that cannot be read has none. */
export async function keptSpeeds(): Promise<Readonly<Record<string, ModelSpeed>>> {
  return (await readKept()).speeds[setting()] ?? {};
}

async function readKept(): Promise<z.infer<typeof kept>> {
  const none = { format: 1 as const, speeds: {} };
  try {
    return kept.safeParse(parseJson(await readText(speedsFile()))).data ?? none;
  } catch {
    return none;
  }
}

/**
 * Measures training steps and predictions of a network, and keeps the speeds.
 *
 * @returns null if a batch does not fit into the memory
 * @throws {FileError} if the cache folder cannot be written to
 */
export async function measureSpeed(model: string, batch: number, steps?: number): Promise<ModelSpeed | null> {
  const options = { model, batch, steps, warmup: 3 };
  try {
    const train = (await benchmark(options)).result.imagesPerSecond;
    const predict = (await benchmark({ ...options, inference: true })).result.imagesPerSecond;
    const speed: ModelSpeed = { batch, train, predict, measured: new Date().toISOString() };
    const { speeds } = await readKept();
    const own = { ...speeds[setting()], [model]: speed };
    await makeFolder(dirname(speedsFile()));
    await writeFileAtomic(speedsFile(), `${JSON.stringify({ format: 1, speeds: { ...speeds, [setting()]: own } })}\n`);
    return speed;
  } catch (error) {
    if (error instanceof MemoryError) return null;
    throw error;
  }
}
