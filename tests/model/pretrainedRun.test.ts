import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import { saveSafetensors } from '../../src/io/safetensors.js';
import { snapshot } from '../../src/io/snapshot.js';
import { Run } from '../../src/model/run.js';
import type { Layer } from '../../src/nn/index.js';
import { zoo } from '../../src/vision/models/index.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
let dataDir = '';
const options = (name: string, pretrained: true | string, model = 'zoo-lenet') => {
  const changes = { epochs: 1, batchSize: 50 };
  return { model, data: 'mnist', out: join(root, name), dataDir, changes, pretrained };
};
const values = async (net: Layer, name: string) => (await net.stateDict().get(name)?.data())?.slice();

async function fileOf(name: string, net: Layer): Promise<string> {
  const path = join(root, `${name}.safetensors`);
  await saveSafetensors(path, await snapshot(net.stateDict()));
  return path;
}

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root);
});

test('a training begins with the weights of a file, and says so', async () => {
  const net = zoo.lenet();
  const path = await fileOf('ten', net);
  const run = await Run.create(options('begins', path));
  expect(await values(run.network, 'fc.2.weight')).toEqual(await values(net, 'fc.2.weight'));
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  expect(run.folder.config.model.pretrained).toEqual({ path, sha256 });
  await run.train();
  expect(readFileSync(join(run.folder.path, 'report.html'), 'utf8')).toContain(path);
  expect(await values(run.network, 'fc.2.weight')).not.toEqual(await values(net, 'fc.2.weight'));
});

test('the classifier begins anew where the file has another number of classes', async () => {
  const net = zoo.lenet({ numClasses: 1000 });
  const run = await Run.create(options('others', await fileOf('thousand', net)));
  expect(await values(run.network, 'fc.1.weight')).toEqual(await values(net, 'fc.1.weight'));
  expect(await values(run.network, 'fc.2.bias')).toEqual(new Float32Array(10));
});

test('networks of the tutorial take files of their own, and there is nothing to download for them', async () => {
  const path = await fileOf('other', zoo.lenet());
  const message = `[lenet] ${path}: [loadStateDict] LeNet: expected the 10 entries of this network, but 10 missing: conv1`;
  await expect(Run.create(options('wrong', path, 'lenet'))).rejects.toThrow(message);
  const { network } = await Run.create({ ...options('own', path), model: 'lenet', pretrained: undefined });
  const own = await fileOf('own', network);
  const again = await Run.create({ ...options('again', own, 'lenet'), seed: 7 });
  expect(await values(again.network, 'conv1.weight')).toEqual(await values(network, 'conv1.weight'));
  const offline = Run.create(options('none', true, 'lenet'));
  await expect(offline).rejects.toThrow(InputError);
  await expect(offline).rejects.toThrow('[run] pretrained: expected the path of a file with lenet, got none');
  for (const name of ['wrong', 'none']) expect(existsSync(join(root, name))).toBe(false);
});
