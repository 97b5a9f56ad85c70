import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { chapters } from '../../src/studio/chapters.js';
import type { CourseChapter, CourseOutput } from '../../src/studio/courseApi.js';
import { temporaryFolder } from '../temporary.js';
import { type TestStudio, testStudio } from './studioApp.js';

let studio: TestStudio;

beforeAll(async () => {
  const root = join(temporaryFolder(), 'work');
  mkdirSync(root);
  studio = await testStudio(root);
});

async function outputOf(chapter: string, breaks: boolean): Promise<CourseOutput> {
  let output = await studio.post<CourseOutput>('/api/course/run', { chapter, breaks });
  while (output.code === null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    output = await studio.json<CourseOutput>(`/api/course/output?id=${output.id}`);
  }
  return output;
}

it('describes a chapter: its program, and the shapes of its network', async () => {
  const address = '/api/course/chapter?chapter=lenet';
  const { code, layers, parameters } = await studio.json<CourseChapter>(address);
  // Each answer counts the layers from the start.
  expect((await studio.json<CourseChapter>(address)).layers).toEqual(layers);
  expect(code).toContain('vision.models.course.LeNet');
  expect(parameters).toBe(41_806);
  expect(layers[0]).toMatchObject({ name: 'conv2d_0', shape: [1, 6, 24, 24], parameters: 156 });
  expect((await studio.ask('/api/course/chapter?chapter=none')).status).toBe(422);
});

const gradients = (text: string) => [...text.matchAll(/mean gradient (\S+)/g)].map(([, value]) => Number(value));

it('runs the programs, which show what their exercises break', async () => {
  const shortcuts = gradients((await outputOf('resnet', false)).text);
  const plain = gradients((await outputOf('resnet', true)).text);
  expect(shortcuts).toHaveLength(5);
  expect(Math.min(...shortcuts)).toBeGreaterThan(1e-3);
  expect(Math.max(...plain)).toBeLessThan(1e-20);
  const right = async (breaks: boolean) =>
    [...(await outputOf('vgg', breaks)).text.matchAll(/right: (\S+) %/g)].map(([, value]) => Number(value));
  const [large, small] = await right(false);
  expect(small).toBeGreaterThan(95);
  for (const none of [large, ...(await right(true))]) expect(none).toBeLessThan(65);
});

it('knows only the program that was started last', async () => {
  expect((await studio.ask('/api/course/output?id=0')).status).toBe(404);
  expect(Object.keys(chapters)).toHaveLength(7);
});
