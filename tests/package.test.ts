import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { npmCommand } from '../src/io/files/npm.js';
import { readTar } from '../src/io/files/tar.js';
import { buildPackage } from './compiled.js';
import { publishedTypes } from './publishedTypes.js';
import { temporaryFolder } from './temporary.js';

/** The project of a user, outside of this one. */
const project = temporaryFolder();
const installed = join(project, 'node_modules/fovea');
const names: string[] = [];

/** Makes a folder from which npm packs, with `dist` as `npm run build` makes it but for the source maps. */
function stage(folder: string): string {
  buildPackage(folder);
  rmSync(join(folder, 'node_modules'));
  const types = publishedTypes();
  cpSync(types, join(folder, 'dist'), { recursive: true, filter: (path) => !path.endsWith('package.json') });
  for (const part of ['src', 'tests', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
    cpSync(part, join(folder, part), { recursive: true });
  }
  return folder;
}

/** Puts packages of this project beside the packed one. */
function link(packages: readonly string[]): void {
  for (const name of packages) {
    const path = join(project, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(resolve('node_modules', name), path);
  }
}

beforeAll(async () => {
  const [command, ...first] = npmCommand();
  const args = [...first, 'pack', '--ignore-scripts', '--json', '--pack-destination', project];
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: stage(join(project, 'stage')), encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }];
  for await (const { name, bytes } of readTar(join(project, filename), () => true)) {
    const path = name.replace(/^package\//, '');
    names.push(path);
    mkdirSync(dirname(join(installed, path)), { recursive: true });
    writeFileSync(join(installed, path), bytes);
  }
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly dependencies: object };
  link([...Object.keys(dependencies), '@types/node', 'undici-types']);
});

describe('the packed package', () => {
  it('has the compiled sources, their sources, and what readers need', () => {
    const others = names.filter(
      (name) => !/^(?:src\/.*(?:\.ts|\/README\.md)|dist\/.*\.(?:js|js\.map|d\.ts))$/.test(name),
    );
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    const sources = names.filter((name) => /^src\/.*(?<!\.d)\.ts$/.test(name));
    expect(sources.length).toBeGreaterThan(100);
    const compiled = sources.map((name) => name.replace(/^src/, 'dist').replace(/\.ts$/, '.js'));
    expect(names).toEqual(expect.arrayContaining(compiled));
  });

  it('has a program that systems start by its first line', () => {
    const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(bin)).toEqual(['fovea']);
    expect(readFileSync(join(installed, bin.fovea), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('works in Node with its dependencies alone', () => {
    const code = `
      import { readFileSync } from 'node:fs';
      import { F, nn, setEngine, tensor, vision } from 'fovea';
      setEngine('reference');
      const net = new vision.models.LeNet();
      console.log((await F.relu(tensor([-1, 2])).data()).join(), new nn.Linear(2, 3).weight.shape.join(), net.parameterCount() > 0);
    `;
    writeFileSync(join(project, 'user.mjs'), code);
    const { stdout, stderr } = spawnSync(process.execPath, ['user.mjs'], { cwd: project, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual(['0,2 2,3 true\n', '']);
  });

  it.each([
    ['--help', /train .*eval .*predict /s],
    ['summary lenet', /total|parameters/i],
    ['train --help', /--epochs/],
  ])('has a command line: fovea %s', (args, says) => {
    const script = join(installed, 'dist/cli/main.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args.split(' ')], {
      cwd: project,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(says);
  });

  const node = ['--lib', 'es2023', '--types', 'node'];
  const browser = ['--lib', 'es2023,dom', '--customConditions', 'browser', '--types', ''];

  it.each([
    ['node16', [...node, '--module', 'node16', '--moduleResolution', 'node16']],
    ['bundler', [...node, '--module', 'esnext', '--moduleResolution', 'bundler']],
    [
      'bundler for browsers, without those of Node',
      [...browser, '--module', 'esnext', '--moduleResolution', 'bundler'],
    ],
  ])('has types for moduleResolution %s', (_, resolution) => {
    const file = join(project, 'user.mts');
    writeFileSync(
      file,
      `import { F, io, nn, optimizer, type Tensor, tensor, train, vision } from 'fovea';
       const net = new nn.Linear(2, 1);
       const loss: Tensor = F.mseLoss(net.forward(tensor([[1, 2]])), tensor([[3]]));
       const adam = new optimizer.Adam({ parameters: net.parameters() });
       const step: Promise<unknown> = adam.step();
       export const values: Promise<Float32Array> = loss.data('float32');
       // @ts-expect-error: the number of outputs is missing
       new nn.Linear(2);
       export { io, step, train, vision };
      `,
    );
    const compiler = resolve('node_modules/typescript7/bin/tsc');
    const usual = ['--target', 'es2023', '--strict', '--noEmit', '--preserveSymlinks', '--listFiles'];
    const args = [compiler, ...usual, ...resolution, '--pretty', 'false', file];
    const { stdout } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
    // Packages that Fovea depends on may ask for types that a user lacks.
    const own = stdout.split('\n').filter((line) => /^(\S*\/)?user\.mts|node_modules\/fovea\//.test(line));
    expect(own.filter((line) => line.includes(': error '))).toEqual([]);
    expect(own.length).toBeGreaterThan(10);
  });
});
