import * as memory from './node/memory.js';
import * as processors from './node/processors.js';
import type { Platform } from './platform.js';

export const { machine, variable, writeError, nextTurn, availableProcessors, availableMemory, totalMemory }: Platform =
  {
    machine: `${process.platform} ${process.arch}`,
    variable: (name) => process.env[name],
    writeError: (text) => void process.stderr.write(text),
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    availableProcessors: processors.availableProcessors,
    availableMemory: memory.availableMemory,
    totalMemory: memory.totalMemory,
  };
