import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { type Chapter, chapters } from '../chapters.js';
import type { StudioContext } from '../context.js';
import type { CourseChapter, CourseOutput } from '../courseApi.js';
import { layersBefore } from '../networks.js';
import { parameters } from '../parameters.js';
import { Refusal } from '../refusal.js';

/** Longest output that is kept, in characters. */
const mostText = 64_000;
const named = z.looseObject({ chapter: z.string() });
const started = z.strictObject({ chapter: z.string(), breaks: z.boolean() });

/** Programs of the course: shown, and run as they are, one at a time. */
export function courseRoutes(app: FastifyInstance, { workspace, signal }: StudioContext): void {
  let last: { output: CourseOutput; child: ChildProcess } | null = null;
  const stop = () => last?.child.kill();
  signal.addEventListener('abort', stop);
  app.get('/api/course/chapter', ({ query }) => describe(chapterOf(parameters(query, named).chapter)));
  app.post('/api/course/run', ({ body }): CourseOutput => {
    const { chapter, breaks } = parameters(body, started);
    const { program, breaking } = chapterOf(chapter);
    stop();
    const id = (last?.output.id ?? 0) + 1;
    const args = [compiledOf(program), ...(breaks ? [breaking] : [])];
    const child = spawn(process.execPath, args, { cwd: workspace.root, stdio: ['ignore', 'pipe', 'pipe'] });
    const run = { output: { id, text: '', code: null } as CourseOutput, child };
    const add = (text: string) => {
      run.output = { ...run.output, text: (run.output.text + text).slice(-mostText) };
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', add);
    child.on('error', (error) => add(error.message));
    child.on('close', (code) => {
      run.output = { ...run.output, code: code ?? 1 };
    });
    last = run;
    return run.output;
  });
  app.get('/api/course/output', ({ query }): CourseOutput => {
    const { id } = parameters(query, z.looseObject({ id: z.coerce.number() }));
    if (last?.output.id === id) return last.output;
    throw new Refusal('gone', `course: expected the program that was started last, got number ${id}`);
  });
}

/** The same program as compiled and as written. */
const compiledOf = (program: string) => fileURLToPath(new URL(`../course/${program}.js`, import.meta.url));
const sourceOf = (program: string) => new URL(`../../../src/studio/course/${program}.ts`, import.meta.url);

function chapterOf(name: string): Chapter {
  if (Object.hasOwn(chapters, name)) return chapters[name];
  throw new InputError(`[studio] chapter: expected ${Object.keys(chapters).join(', ')}, got '${name}'`);
}

async function describe({ program, model, breaking }: Chapter): Promise<CourseChapter> {
  const code = await readFile(sourceOf(program), 'utf8').catch(() => readFile(compiledOf(program), 'utf8'));
  return { code: code.replace(/\n\/\/# sourceMappingURL=.*/, ''), breaking, ...layersBefore(model, {}) };
}
