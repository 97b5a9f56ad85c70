import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileError } from '../../src/errors.js';
import { parseRecord } from '../../src/text/record.js';
import { StateFolder } from '../../src/train/checkpoint/folder.js';
import { schedule as schedules } from '../../src/train/checkpoint/schema.js';
import { temporaryFolder } from '../temporary.js';

const depth = 20_000;
const folder = temporaryFolder();

it('records that are nested too deeply are refused', async () => {
  const schedule = `${'{"lastEpoch":1,"lastLr":1,"inner":'.repeat(depth)}null${'}'.repeat(depth)}`;
  expect(() => parseRecord(schedules, 'schedule', schedule, 'x.json')).toThrow(
    new FileError('[run] x.json: expected JSON, got brackets nested deeper than 100 levels'),
  );
  writeFileSync(join(folder, 'state.json'), `{"training":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  const error = await new StateFolder(folder).read().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FileError);
  expect((error as Error).message).toContain(
    'state.json: expected JSON, got brackets nested deeper than 100 levels; restore it',
  );
});
