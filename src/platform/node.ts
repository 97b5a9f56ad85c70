import { Worker } from 'node:worker_threads';
import * as memory from './node/memory.js';
import * as processors from './node/processors.js';
import type { Platform } from './platform.js';

function startWorker<T>(run: (data: T) => void, data: T): void {
  const source = `const { workerData } = require('node:worker_threads'); (${run})(workerData);`;
  new Worker(source, { eval: true, workerData: data }).unref();
}

export const {
  machine,
  variable,
  writeError,
  nextTurn,
  availableProcessors,
  canShareMemory,
  startThread,
  availableMemory,
  totalMemory,
}: Platform = {
  machine: `${process.platform} ${process.arch}`,
  variable: (name) => process.env[name],
  writeError: (text) => void process.stderr.write(text),
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
  canShareMemory: true,
  startThread: startWorker,
  availableProcessors: processors.availableProcessors,
  availableMemory: memory.availableMemory,
  totalMemory: memory.totalMemory,
};
