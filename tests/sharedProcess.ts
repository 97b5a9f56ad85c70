import type { EngineName } from '../src/engine/engines.js';
import { engineInfo, setEngine } from '../src/engine/select.js';
import { seed } from '../src/random.js';

/** Files that share a process begin with the engine and the seed of a new one. */
const shared = globalThis as { firstEngine?: EngineName };
shared.firstEngine ??= engineInfo().name;
setEngine(shared.firstEngine);
seed(0);
