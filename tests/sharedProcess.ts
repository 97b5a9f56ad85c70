import { vi } from 'vitest';
import {
  type EngineInfo,
  engineInfo,
  setConvolution,
  setEngine,
  setPrecision,
  setThreads,
} from '../src/engine/select.js';
import { seed } from '../src/random.js';

/** Files that share a process begin with the engine, its settings, the seed and the folder of a new one, and without spies. */
const shared = globalThis as { firstEngine?: EngineInfo; firstFolder?: string };
vi.useRealTimers();
vi.unstubAllEnvs();
vi.restoreAllMocks();
shared.firstFolder ??= process.cwd();
process.chdir(shared.firstFolder);
shared.firstEngine ??= engineInfo();
const { name, threads, precision, convolution } = shared.firstEngine;
setEngine(name);
setThreads(threads);
setPrecision(precision);
setConvolution(convolution);
seed(0);
