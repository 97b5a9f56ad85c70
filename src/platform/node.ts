import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import * as memory from './node/memory.js';
import * as processors from './node/processors.js';
import type { Platform, StartThread } from './platform.js';

const startWorker: StartThread = (run, data, ended) => {
  const source = `const { workerData } = require('node:worker_threads'); (${run})(workerData);`;
  // The thread runs none of the modules that `--import` names.
  const worker = new Worker(source, { eval: true, workerData: data, execArgv: [] });
  let reason = '';
  worker.on('error', (error) => {
    reason = messageOf(error);
  });
  worker.on('exit', (code) => ended(reason || `exit code ${code}`));
  worker.unref();
};

export const {
  machine,
  variable,
  writeError,
  nextTurn,
  availableProcessors,
  canShareMemory,
  preferBestCode,
  collectGarbage,
  whyOneThread,
  startThread,
  availableMemory,
  totalMemory,
}: Platform = {
  machine: `${process.platform} ${process.arch}`,
  variable: (name) => process.env[name],
  writeError: (text) => void process.stderr.write(text),
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
  canShareMemory: true,
  preferBestCode: () => {
    try {
      setFlagsFromString('--no-liftoff');
    } catch {
      // Other runtimes with Node's modules have no such flags.
    }
  },
  collectGarbage: () => {
    try {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      setFlagsFromString('--no-expose-gc');
      collect();
    } catch {
      // Other runtimes do it when they like.
    }
  },
  whyOneThread: null,
  startThread: startWorker,
  availableProcessors: processors.availableProcessors,
  availableMemory: memory.availableMemory,
  totalMemory: memory.totalMemory,
};
