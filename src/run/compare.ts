import { loadSafetensors } from '../io/weights/safetensors.js';
import type { RunConfig } from './config.js';
import type { RunFolder } from './folder.js';

/** A run next to the one that it repeats. */
export interface RunComparison {
  /** Whether all weights are equal, bit by bit; null if one of the two has not finished. */
  readonly equal: boolean | null;
  /** Differences in seed, engine, machine and so on, in words. */
  readonly differences: readonly string[];
}

/** Compares two runs, whose states have been read. */
export async function compareRuns(before: RunFolder, now: RunFolder): Promise<RunComparison> {
  const differences = differencesOf(before.config, now.config);
  const finished = [before, now].every((folder) => folder.state.training.batch === 0);
  const epochs = [before, now].map((folder) => folder.state.training.epoch);
  if (!finished || epochs[0] !== epochs[1]) return { equal: null, differences };
  const [old, fresh] = [await loadSafetensors(before.weightsPath), await loadSafetensors(now.weightsPath)];
  const equal = [...old.tensors].every(([name, { data }]) => {
    const other = fresh.tensors.get(name)?.data;
    return other !== undefined && Buffer.from(bytesOf(data)).equals(bytesOf(other));
  });
  return { equal: equal && old.tensors.size === fresh.tensors.size, differences };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function differencesOf(before: RunConfig, now: RunConfig): string[] {
  const pairs: [string, string | number, string | number][] = [
    ['seed', before.seed, now.seed],
    ['version', before.version, now.version],
    ['engine', before.engine.description, now.engine.description],
    ['threads', before.engine.threads, now.engine.threads],
    ['precision', before.engine.precision, now.engine.precision],
    ['kernels of convolutions', before.engine.convolution, now.engine.convolution],
    ['platform', before.machine.platform, now.machine.platform],
    ['processor', before.machine.processor, now.machine.processor],
  ];
  return pairs.filter(([, then, here]) => then !== here).map(([what, then, here]) => `${what} ${here}, before ${then}`);
}
