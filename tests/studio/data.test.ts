import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RandomGenerator } from '../../src/random.js';
import { namedDataset } from '../../src/run/catalog/datasets.js';
import { readFixes } from '../../src/run/dataCheck/fixes.js';
import { transformed } from '../../src/run/loaders.js';
import type {
  ArchiveLayout,
  DataCheckState,
  DataChoices,
  DataDecisions,
  DataLayout,
  DataPictures,
  TransformedPictures,
} from '../../src/studio/api.js';
import { preprocessing } from '../../src/vision/images/preprocess.js';
import { itWith } from '../needs.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';
import { temporaryFolder } from '../temporary.js';
import { makeZip } from '../zipWriter.js';
import { type TestStudio, testStudio } from './studioApp.js';

const root = join(temporaryFolder(), 'work');
/** In place of the command line: one finding. */
const fake = `
const finding = { kind: 'copy', severity: 'problem', message: 'copies', files: ['red/red0.png'], exclude: ['red/red0.png'], relabel: null };
if (process.argv[4] === 'folder:photos') console.log(JSON.stringify({ findings: [finding], shortcuts: [{ property: 'width', suspicious: true }], leftOut: [],
  classNames: ['blue', 'red'], properties: [{ property: 'size', values: [{ value: '28×28', pictures: 2, counts: [1, 1] }] }] }));
else { console.error('fovea: nothing to check'); process.exitCode = 2; }
`;
let studio: TestStudio;

beforeAll(async () => {
  await writeRedAndBlue(join(root, 'photos'), 4);
  writeFileSync(join(root, 'photos/red/broken.png'), 'no picture');
  mkdirSync(join(root, 'empty'));
  writeFileSync(`${root}.fake.mjs`, fake);
  studio = await testStudio(root, [process.execPath, `${root}.fake.mjs`]);
});
afterAll(() => studio.app.close());

const data = 'data=folder:photos';

it('lists data in subfolders and imported photographs of eyes, and no parts or classes', async () => {
  const other = join(temporaryFolder(), 'other');
  const folders = ['sets/a/x', 'sets/a/y', 'sets/b/x', 'sets/b/y', 'parts/train/x', 'parts/train/y', 'parts/test/x'];
  for (const folder of [...folders, 'eyes/PALM-Training400', 'plain/x', 'plain/y'])
    mkdirSync(join(other, folder), { recursive: true });
  mkdirSync(join(other, 'tables/pictures'), { recursive: true });
  writeFileSync(join(other, 'tables/list.csv'), 'file,label\n');
  const own = await testStudio(other, ['true']);
  const { data: choices } = await own.json<DataChoices>('/api/data');
  await own.app.close();
  expect(choices.filter((choice) => choice.includes(':'))).toEqual([
    ...['palm:eyes', 'folder:parts', 'folder:plain', 'folder:sets', 'folder:sets/a', 'folder:sets/b'],
    ...['folder:tables', 'csv:tables/list.csv', 'folder:tables/pictures'],
  ]);
});

it('shows how a folder is understood, and its pictures', async () => {
  const { data: choices } = await studio.json<DataChoices>('/api/data');
  expect(choices).toEqual(expect.arrayContaining(['folder:photos', 'mnist']));
  const layout = await studio.json<DataLayout>(`/api/data/layout?${data}`);
  expect(layout).toMatchObject({ classNames: ['blue', 'red'], isFiles: true });
  expect(layout.parts).toEqual([{ part: 'all', counts: [4, 5] }]);
  const reds = await studio.json<DataPictures>(`/api/data/pictures?${data}&label=1&from=1&most=2`);
  expect(reds.total).toBe(5);
  expect(reds.pictures.map(({ label }) => label)).toEqual(['red', 'red']);
  const [{ picture, name }] = reds.pictures;
  for (const which of [`picture=${picture}`, `name=${name}`]) {
    expect((await studio.ask(`/api/data/picture?${data}&${which}`)).body.slice(1, 4)).toBe('PNG');
  }
});

it('names pictures that do not decode, data outside of the folder, and what is no data', async () => {
  const refused = async (url: string) => {
    const { status, body } = await studio.ask(url);
    return [status, JSON.parse(body).code];
  };
  expect(await refused(`/api/data/picture?${data}&name=red/broken.png`)).toEqual([422, 'input']);
  expect(await refused(`/api/data/picture?${data}&name=../secret.png`)).toEqual([422, 'input']);
  expect(await refused(`/api/data/picture?${data}&picture=99`)).toEqual([422, 'input']);
  expect(await refused('/api/data/layout?data=folder:../other')).toEqual([403, 'outside']);
  expect(await refused('/api/data/layout?data=folder:none')).toEqual([404, 'gone']);
  expect(await refused('/api/data/layout?data=folder:empty')).toEqual([422, 'input']);
  expect(await refused('/api/data/layout?data=strange')).toEqual([422, 'input']);
});

it('shows transforms on a picture as a training would, the same for the same seed', async () => {
  const show = (transforms: string, seed = 0) =>
    studio.json<TransformedPictures>(
      `/api/data/transformed?${data}&picture=0&versions=4&seed=${seed}&transforms=${encodeURIComponent(transforms)}`,
    );
  const rotated = await show('RandomRotation(30)');
  expect(new Set([rotated.plain, ...rotated.changed]).size).toBe(5);
  expect(await show('RandomRotation(30)')).toEqual(rotated);
  expect((await show('RandomRotation(30)', 1)).changed).not.toEqual(rotated.changed);
  // The same samples as the data set of a training gives for these random numbers.
  const { dataset } = await (
    await namedDataset('folder').open({
      location: join(root, 'photos'),
      images: preprocessing(),
      imageLoading: { cache: false, onBadImage: 'fail' },
      holdOut: { share: 0.2, seed: 0 },
    })
  ).open('all');
  const changed = transformed({ dataset }, { techniques: { transforms: [{ RandomRotation: { degrees: 30 } }] } });
  const sample = await changed.get(0, new RandomGenerator(0).fork('0 1'));
  const png = await namedDataset('folder').picture(sample, preprocessing());
  expect(rotated.changed[0]).toBe(`data:image/png;base64,${Buffer.from(png).toString('base64')}`);
  expect(await show('')).toMatchObject({ changed: [], size: [20, 20] });
  const refused = await studio.ask(`/api/data/transformed?${data}&picture=0&transforms=RandomRotatio`);
  expect([refused.status, JSON.parse(refused.body).error]).toEqual([422, expect.stringContaining('RandomRotation?')]);
});

it('checks by the command line, and keeps a decision about each finding for --fixes', async () => {
  await studio.post('/api/data/check', { data: 'folder:photos' });
  let state = await studio.json<DataCheckState>(`/api/data/check?${data}`);
  while (state.state === 'running') state = await studio.json<DataCheckState>(`/api/data/check?${data}`);
  expect(state).toMatchObject({ state: 'done', findings: [{ message: 'copies' }], shortcuts: ['width'] });
  expect(state).toMatchObject({ properties: [{ property: 'size', values: [{ value: '28×28' }] }] });
  const decide = (files: readonly string[], decision: unknown) =>
    studio.post<DataDecisions>('/api/data/decisions', { data: 'folder:photos', files, decision });
  await Promise.all([decide(['red/red0.png'], 'exclude'), decide(['blue/blue0.png'], { label: 'red' })]);
  const expected = { excluded: ['red/red0.png'], relabelled: { 'blue/blue0.png': 'red' } };
  const decided = await studio.json<DataDecisions>(`/api/data/decisions?${data}`);
  expect(decided).toEqual({ folder: 'fixes/photos', ...expected });
  expect(await readFixes(join(root, 'fixes/photos'))).toEqual(expected);
  expect((await decide(['red/red0.png', 'blue/blue0.png'], null)).excluded).toEqual([]);
});

it('lists archives, their contents, and the command that makes data of them', async () => {
  const pictures = ['set/cat/a.png', 'set/cat/b.jpg', 'set/dog/c.PNG', 'set/notes.txt', '__MACOSX/set/cat/a.png'];
  writeFileSync(join(root, 'pets.zip'), makeZip(pictures.map((name) => ({ name, data: 'x' }))));
  writeFileSync(join(root, 'training (1).zip'), makeZip([{ name: 'PALM/H1.jpg', data: 'x' }]));
  writeFileSync(join(root, 'birds.tar.gz'), 'x');
  writeFileSync(join(root, 'broken.zip'), 'x');
  writeFileSync(join(root, 'evil.zip'), makeZip([{ name: '../../a.png', data: 'x' }]));
  const { archives, data: sets } = await studio.json<DataChoices>('/api/data');
  expect(archives).toEqual(['birds.tar.gz', 'broken.zip', 'evil.zip', 'pets.zip', 'training (1).zip']);
  expect(sets.filter((name) => /zip|gz/.test(name))).toEqual([]);
  const look = (name: string) => studio.json<ArchiveLayout>(`/api/data/archive?name=${encodeURIComponent(name)}`);
  expect(await look('pets.zip')).toEqual({
    kind: 'zip',
    name: 'pets.zip',
    command: ['unzip', 'pets.zip', '-d', 'pets'],
    data: 'folder:pets/set',
    folders: [
      { folder: 'set/cat', pictures: 2 },
      { folder: 'set/dog', pictures: 1 },
    ],
    others: 2,
  });
  expect(await look('training (1).zip')).toMatchObject({ kind: 'palm', data: 'palm:palm' });
  expect(await look('birds.tar.gz')).toMatchObject({ kind: 'other', data: 'folder:birds', folders: [] });
  const refusals = { 'broken.zip': 422, 'evil.zip': 422, 'none.zip': 404, '../a.zip': 403, photos: 422 };
  for (const [name, status] of Object.entries(refusals)) {
    const answer = await studio.ask(`/api/data/archive?name=${encodeURIComponent(name)}`);
    expect([name, answer.status]).toEqual([name, status]);
  }
});

it('says why a check failed', async () => {
  await studio.post('/api/data/check', { data: 'folder:empty' });
  let state = await studio.json<DataCheckState>('/api/data/check?data=folder:empty');
  while (state.state === 'running') state = await studio.json<DataCheckState>('/api/data/check?data=folder:empty');
  expect(state).toEqual({ state: 'failed', message: 'nothing to check' });
});

it('makes a class of pictures, once each, and nothing elsewhere', async () => {
  const picture = readFileSync(join(root, 'photos/blue/blue0.png')).toString('base64');
  const add = (change: object) =>
    studio.ask('/api/data/add', { method: 'POST', payload: { folder: 'mine', class: 'sky', picture, ...change } });
  for (const body of [(await add({})).body, (await add({})).body]) {
    expect(JSON.parse(body)).toEqual({ data: 'folder:mine', inClass: 1 });
  }
  expect(JSON.parse((await add({ picture: btoa('no picture') })).body).error).toContain('expected a picture');
  mkdirSync(`${root}.outside`);
  symlinkSync(`${root}.outside`, join(root, 'linked'));
  symlinkSync(`${root}.outside`, join(root, 'mine/linked'));
  const refusals: [object, number][] = [
    [{ folder: '../outside' }, 422],
    [{ folder: 'runs' }, 422],
    [{ folder: '.fovea-studio' }, 422],
    [{ class: '..' }, 422],
    [{ folder: 'linked' }, 403],
    [{ class: 'linked' }, 403],
  ];
  for (const [change, status] of refusals) expect([change, (await add(change)).status]).toEqual([change, status]);
  expect(readdirSync(`${root}.outside`)).toEqual([]);
});

it('of a folder that vanishes while it is open are named as gone', async () => {
  renameSync(join(root, 'photos'), join(root, 'moved'));
  const { status, body } = await studio.ask(`/api/data/pictures?${data}`);
  expect([status, JSON.parse(body).code]).toEqual([404, 'gone']);
  renameSync(join(root, 'moved'), join(root, 'photos'));
});

it('of a folder that changes while it is open are counted again, and a picture that is gone is named', async () => {
  const changing = 'data=folder:changing';
  for (const [name, from] of [
    ['blue/a.png', 'blue/blue0.png'],
    ['red/b.png', 'red/red0.png'],
    ['red/c.png', 'red/red1.png'],
  ]) {
    mkdirSync(join(root, 'changing', name.split('/')[0]), { recursive: true });
    copyFileSync(join(root, 'photos', from), join(root, 'changing', name));
  }
  const counts = async () => (await studio.json<DataLayout>(`/api/data/layout?${changing}`)).parts[0].counts;
  expect(await counts()).toEqual([1, 2]);
  rmSync(join(root, 'changing/red/c.png'));
  const { status, body } = await studio.ask(`/api/data/picture?${changing}&name=red/c.png`);
  expect([status, JSON.parse(body).error]).toEqual([422, expect.stringContaining('c.png')]);
  expect(await counts()).toEqual([1, 1]);
  // A link in the place of the folder is not followed.
  renameSync(join(root, 'changing'), `${root}.elsewhere`);
  symlinkSync(`${root}.elsewhere`, join(root, 'changing'));
  expect((await studio.ask(`/api/data/picture?${changing}&picture=0`)).status).toBe(403);
});

itWith('user', 'names a folder that must not be read', async () => {
  chmodSync(join(root, 'empty'), 0o000);
  const { status, body } = await studio.ask('/api/data/layout?data=folder:empty');
  chmodSync(join(root, 'empty'), 0o755);
  expect([status, JSON.parse(body).error]).toEqual([422, expect.stringMatching(/EACCES|permission/)]);
});
