import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import type { TensorData } from '../../../src/io/formats/tensorData.js';
import { snapshot } from '../../../src/io/snapshot.js';
import { savePdparams } from '../../../src/io/weights/pdparams.js';
import { saveSafetensors } from '../../../src/io/weights/safetensors.js';
import type { Layer } from '../../../src/nn/index.js';
import * as models from '../../../src/vision/models/index.js';
import type { weightFiles } from '../../../src/vision/models/weightFiles.js';
import { LocalServer } from '../../server.js';
import { temporaryFolder } from '../../temporary.js';

/** No waiting between attempts. */
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const offered = vi.hoisted((): Record<string, { url: string; md5: string }> => ({}));
vi.mock('../../../src/vision/models/weightFiles.js', () => ({ weightFiles: offered }));

const folder = temporaryFolder();
const server = new LocalServer();
const safetensors = join(folder, 'trained.safetensors');
const pdparams = join(folder, 'trained.pdparams');
const trained = models.lenet();
const valuesOf = (net: Layer) =>
  Promise.all([...net.stateDict()].map(async ([name, state]) => [name, (await state.data()).slice()] as const));

const failure = async (promise: Promise<Layer>): Promise<Error> => {
  const error = await promise.then(
    () => null,
    (thrown: Error) => thrown,
  );
  if (error === null) expect.unreachable('the weights should have been refused');
  return error;
};

beforeAll(async () => {
  await saveSafetensors(await snapshot(trained.stateDict()), safetensors);
  await savePdparams(trained, pdparams);
});

describe('a local file', () => {
  it.each([
    ['.safetensors', safetensors],
    ['.pdparams', pdparams],
  ])('%s', async (_, path) => {
    expect(await valuesOf(await models.lenet({ pretrained: path }))).toEqual(await valuesOf(trained));
  });

  it('for another number of classes: the last layer begins new, all others are those of the file', async () => {
    const [given, found] = [trained, await models.lenet({ pretrained: safetensors, numClasses: 3 })].map(valuesOf);
    for (const [i, [name, values]] of (await found).entries()) {
      if (name.startsWith('fc.2.')) expect(values).toHaveLength(name.endsWith('bias') ? 3 : 84 * 3);
      else expect(values).toEqual((await given)[i][1]);
    }
    const features = await models.lenet({ pretrained: safetensors, numClasses: 0 });
    expect(await valuesOf(features)).toEqual((await given).filter(([name]) => name.startsWith('features.')));
  });

  it('takes a file with the names and layouts of PyTorch', async () => {
    const path = join(folder, 'torch.safetensors');
    const given = models.mobilenetV2({ scale: 0.25, numClasses: 3 });
    const entries = new Map<string, TensorData>();
    for (const [name, { shape, dtype, data }] of await snapshot(given.stateDict())) {
      const own = name.replace(/\._mean$/, '.running_mean').replace(/\._variance$/, '.running_var');
      const rows = Array.from({ length: shape.length === 2 ? shape[1] : 0 }, (_, j) =>
        Array.from({ length: shape[0] }, (_, i) => data[i * shape[1] + j]),
      );
      const turned = { shape: [...shape].reverse(), dtype, data: Float32Array.from(rows.flat()) };
      entries.set(own, shape.length === 2 ? turned : { shape, dtype, data });
      if (own.endsWith('.running_var')) {
        const counter = own.replace('running_var', 'num_batches_tracked');
        entries.set(counter, { shape: [1], dtype: 'int32', data: Int32Array.of(7) });
      }
    }
    await saveSafetensors(entries, path);
    const found = await models.mobilenetV2({ scale: 0.25, numClasses: 3, pretrained: path });
    expect(await valuesOf(found)).toEqual(await valuesOf(given));
  });

  it('renews a classifier that is a convolution, too', async () => {
    const path = join(folder, 'squeezed.safetensors');
    const given = models.squeezenet1_1({ numClasses: 3 });
    await saveSafetensors(await snapshot(given.stateDict()), path);
    const found = await valuesOf(await models.squeezenet1_1({ pretrained: path, numClasses: 5 }));
    for (const [i, [name, values]] of (await valuesOf(given)).entries()) {
      if (name.startsWith('_conv9.')) expect(found[i][1]).toHaveLength(name.endsWith('bias') ? 5 : 5 * 512);
      else expect(found[i]).toEqual([name, values]);
    }
    const error = await failure(models.squeezenet1_0({ pretrained: path, numClasses: 5 }));
    expect(error.message).toContain('_conv.weight: expected [96,3,7,7], got [64,3,3,3]');
  });

  it('refuses another number of classes that the caller did not ask for', async () => {
    const path = join(folder, 'three.safetensors');
    await saveSafetensors(models.lenet({ numClasses: 3 }), path);
    const error = await failure(models.lenet({ pretrained: path }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toBe(
      `[lenet] ${path}: [loadStateDict] LeNet: expected the 10 entries of this network, but ` +
        '2 misshapen: fc.2.weight: expected [84,10], got [84,3], fc.2.bias: expected [10], got [3]',
    );
  });

  it('refuses weights of another network', async () => {
    const error = await failure(models.mobilenetV2({ pretrained: safetensors, numClasses: 10 }));
    expect(error.message).toContain(
      `[mobilenet_v2] ${safetensors}: [loadStateDict] MobileNetV2: expected the 262 entries`,
    );
    expect(error.message).toMatch(
      /\d+ missing: features\.0\.0\.weight \[32,3,3,3\], .* and \d+ more; \d+ unknown: .* and \d+ more$/,
    );
  });

  it('refuses other files', async () => {
    const path = join(folder, 'weights.bin');
    writeFileSync(path, '');
    const error = await failure(models.lenet({ pretrained: path }));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toBe(`[weights] ${path}: expected a .safetensors or .pdparams file, got .bin`);
    await expect(models.lenet({ pretrained: join(folder, 'none.pdparams') })).rejects.toThrow(FileError);
  });
});

describe('pretrained: true', () => {
  let cache = '';
  let run = 0;
  let content: Buffer;
  beforeEach(() => {
    cache = join(folder, `cache${run++}`);
    vi.stubEnv('FOVEA_CACHE', cache);
    content = readFileSync(pdparams);
    const md5 = createHash('md5').update(content).digest('hex');
    offered.lenet = { url: `${server.url}/models/lenet.pdparams`, md5 };
    server.serve((_, response) => response.end(content));
  });
  afterAll(() => vi.unstubAllEnvs());

  it('downloads the weights once', async () => {
    const progress = vi.fn();
    const net = await models.lenet({ pretrained: true, onDownload: progress });
    expect(await valuesOf(net)).toEqual(await valuesOf(trained));
    expect(progress).toHaveBeenCalled();
    expect(await valuesOf(await models.lenet({ pretrained: true }))).toEqual(await valuesOf(trained));
    expect(server.requests).toEqual(['GET /models/lenet.pdparams']);
  });

  it('refuses a file in the cache that is not the right one, and leaves it', async () => {
    await models.lenet({ pretrained: true });
    const path = join(cache, 'weights', 'lenet.pdparams');
    writeFileSync(path, 'something else');
    const error = await failure(models.lenet({ pretrained: true }));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toContain(`[lenet] ${path}: expected a file with md5 ${offered.lenet.md5}, got `);
    expect(readFileSync(path, 'utf8')).toBe('something else');
  });

  it('refuses a download with another checksum', async () => {
    content = Buffer.from('a page that says hello');
    const error = await failure(models.lenet({ pretrained: true }));
    expect(error.message).toContain(`expected a file with md5 ${offered.lenet.md5}, got 22 bytes`);
    expect(existsSync(join(cache, 'weights', 'lenet.pdparams'))).toBe(false);
  });

  it('says where the file belongs if the address cannot be reached', async () => {
    offered.lenet.url = 'http://127.0.0.1:1/models/lenet.pdparams';
    const error = await failure(models.lenet({ pretrained: true }));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toMatch(
      /^\[download\] http:\/\/127\.0\.0\.1:1\/models\/lenet\.pdparams: expected a file to /,
    );
    expect(error.message).toContain(`place it at ${join(cache, 'weights', 'lenet.pdparams')}`);
  });

  it('refuses networks that there are no weights of', async () => {
    const error = await failure(models.mobilenetV1({ pretrained: true, scale: 0.5 }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toBe(
      '[mobilenet_v1_0.5] pretrained: expected the path of a file, for Paddle has no weights of this network, got true; ' +
        'there are weights of lenet',
    );
  });
});

it('the offered files have addresses and checksums', async () => {
  const { weightFiles: real } = await vi.importActual<{ weightFiles: typeof weightFiles }>(
    '../../../src/vision/models/weightFiles.js',
  );
  const urls = Object.values(real).map(({ url }) => url);
  expect(new Set(urls).size).toBe(36);
  for (const [name, { url, md5 }] of Object.entries(real)) {
    expect(url, name).toMatch(/^https:\/\/[a-z-]+\.bj\.bcebos\.com\/(models|dygraph)\/\w+[\w.]*\.pdparams$/);
    expect(md5, name).toMatch(/^[0-9a-f]{32}$/);
  }
});
