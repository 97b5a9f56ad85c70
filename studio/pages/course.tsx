import { useEffect, useState } from 'preact/hooks';
import type { CourseChapter, CourseOutput } from '../../src/studio/courseApi.js';
import { CommandLine } from '../parts/command.js';
import { count } from '../parts/format.js';
import { LayerTable } from '../parts/layerTable.js';
import { Loading, Problem } from '../parts/notice.js';
import { Scroll } from '../parts/scroll.js';
import { href } from '../route.js';
import { apiAddress, ServerError, send, useServer } from '../server.js';
import { type TextKey, t } from '../texts/index.js';
import type { PageProps } from './index.js';

const names = ['lenet', 'eyes', 'alexnet', 'vgg', 'googlenet', 'resnet', 'model'] as const;
type Name = (typeof names)[number];
/** Idea and exercise of each chapter. */
const words = {
  lenet: ['course.lenetIdea', 'course.lenetExercise'],
  eyes: ['course.eyesIdea', 'course.eyesExercise'],
  alexnet: ['course.alexnetIdea', 'course.alexnetExercise'],
  vgg: ['course.vggIdea', 'course.vggExercise'],
  googlenet: ['course.googlenetIdea', 'course.googlenetExercise'],
  resnet: ['course.resnetIdea', 'course.resnetExercise'],
  model: ['course.modelIdea', 'course.modelExercise'],
} as const satisfies Readonly<Record<Name, readonly [idea: TextKey, exercise: TextKey]>>;

/** Accuracy in percent: measured by Fovea, published for the tutorial, and the command that measures it. */
const results: Readonly<Record<Name, readonly [measured: string, published: string, command: readonly string[]]>> = {
  lenet: ['95.29', '> 92', ['fovea', 'train', 'lenet', '--seed', '0']],
  eyes: ['52.8', '–', ['npm', 'run', 'results']],
  alexnet: ['82.8', '≈ 94', ['npm', 'run', 'results']],
  vgg: ['94.4', '≈ 94', ['npm', 'run', 'results']],
  googlenet: ['91.3', '≈ 95', ['npm', 'run', 'results']],
  resnet: ['96.1', '≈ 96', ['npm', 'run', 'results']],
  model: ['–', '–', ['npm', 'run', 'example', '--', 'cifar10']],
};

/** The networks of the tutorial: idea, shapes, a program that runs, results, and an exercise. */
export default function CoursePage({ parameters: { chapter } }: PageProps) {
  const name = names.find((one) => one === chapter) ?? 'lenet';
  return (
    <>
      <h1>{t('course.title')}</h1>
      <p class="lead">{t('course.lead')}</p>
      <ol class="chapters">
        {names.map((one) => (
          <li key={one}>
            <a href={href('course', { chapter: one })} aria-current={one === name ? 'true' : undefined}>
              {t(`course.${one}`)}
            </a>
          </li>
        ))}
      </ol>
      <ChapterView key={name} name={name} />
    </>
  );
}

function ChapterView({ name }: { readonly name: Name }) {
  const { data, error, reload } = useServer<CourseChapter>(apiAddress('course/chapter', { chapter: name }));
  const [measured, published, command] = results[name];
  return (
    <article>
      <h2>{t(`course.${name}`)}</h2>
      <p class="idea">{t(words[name][0])}</p>
      {error !== null && <Problem error={error} retry={reload} />}
      {data === null && error === null && <Loading />}
      {data !== null && (
        <>
          <Program name={name} chapter={data} />
          <h3>{t('course.results')}</h3>
          <Scroll label={t('course.results')}>
            <table class="wrapped">
              <thead>
                <tr>
                  <th scope="col">{t('course.measured')}</th>
                  <th scope="col">{t('course.published')}</th>
                </tr>
              </thead>
              <tbody>
                <tr>
                  <td class="number">{measured}</td>
                  <td class="number">{published}</td>
                </tr>
              </tbody>
            </table>
          </Scroll>
          <p class="hint">{t(name === 'lenet' ? 'course.digitsNote' : 'course.eyesNote')}</p>
          <h3>{t('course.shapes', { model: data.model, n: count(data.parameters) })}</h3>
          <LayerTable network={data} />
          <CommandLine words={command} />
        </>
      )}
    </article>
  );
}

function Program({ name, chapter }: { readonly name: Name; readonly chapter: CourseChapter }) {
  const [output, setOutput] = useState<CourseOutput | null>(null);
  const [error, setError] = useState<ServerError | null>(null);
  const failed = (failure: unknown) =>
    setError(failure instanceof ServerError ? failure : new ServerError('internal', String(failure)));
  const run = (breaks: boolean) => {
    setError(null);
    send<CourseOutput>('course/run', { chapter: name, breaks }).then(setOutput, failed);
  };
  useEffect(() => {
    if (output === null || output.code !== null) return;
    const timer = setTimeout(() => {
      fetch(apiAddress('course/output', { id: output.id }))
        .then(async (response) => setOutput((await response.json()) as CourseOutput))
        .catch(failed);
    }, 250);
    return () => clearTimeout(timer);
  });
  return (
    <>
      <h3>{t('course.code')}</h3>
      <Scroll label={t('course.code')}>
        <pre>
          <code>{chapter.code}</code>
        </pre>
      </Scroll>
      <p class="actions">
        <button type="button" class="primary" onClick={() => run(false)}>
          {t('course.run')}
        </button>
        <button type="button" onClick={() => run(true)}>
          {t('course.break', { argument: chapter.breaking })}
        </button>
      </p>
      <p>{t(words[name][1])}</p>
      {error !== null && <Problem error={error} />}
      {output !== null && (
        <div role="status">
          <pre class="output">{output.text === '' ? '…' : output.text}</pre>
          <p class="hint">{output.code === null ? t('course.running') : t('course.ended', { code: output.code })}</p>
        </div>
      )}
    </>
  );
}
