/** Pretends that no folder has oneDNN: `node --import …/withoutLibrary.mjs`. Files that are named directly are there. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { readdirSync } = fs;
fs.readdirSync = (path, ...rest) =>
  readdirSync.call(fs, path, ...rest).filter((name) => typeof name !== 'string' || !name.startsWith('libdnnl.'));
syncBuiltinESMExports();
