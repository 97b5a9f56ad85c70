/**
 * Pretends that no folder has oneDNN, but for those below FOLDER_WITH_LIBRARY if that is set: `node --import …/withoutLibrary.mjs`.
 * Files that are named directly are there.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { readdirSync } = fs;
const { FOLDER_WITH_LIBRARY: shown = '' } = process.env;
fs.readdirSync = (path, ...rest) => {
  const names = readdirSync.call(fs, path, ...rest);
  if (shown !== '' && String(path).startsWith(shown)) return names;
  return names.filter((name) => typeof name !== 'string' || !name.startsWith('libdnnl.'));
};
syncBuiltinESMExports();
