import type { EngineName } from '../src/engine/engines.js';
import { engineInfo, setEngine } from '../src/engine/select.js';

/** Files that share a process begin with the engine that is chosen without a call, whichever the file before chose. */
const shared = globalThis as { firstEngine?: EngineName };
shared.firstEngine ??= engineInfo().name;
setEngine(shared.firstEngine);
