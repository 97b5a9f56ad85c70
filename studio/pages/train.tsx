import { useEffect, useMemo, useState } from 'preact/hooks';
import type { FormOption, Job, TrainForm, TrainingEstimate, TrainingList } from '../../src/studio/api.js';
import { Chart, legend, numberAxis } from '../parts/chart.js';
import { CommandLine } from '../parts/command.js';
import { bytes, count, duration } from '../parts/format.js';
import { LiveMaps, ShapeWalk, TrainedLayers } from '../parts/liveNetwork.js';
import { Loading, Problem } from '../parts/notice.js';
import { type Course, useCourse } from '../parts/useEvents.js';
import { href } from '../route.js';
import { apiAddress, type ServerError, send, useServer } from '../server.js';
import { t } from '../texts/index.js';
import type { PageProps } from './index.js';

const lookMs = 2000;

export default function TrainPage({ parameters }: PageProps) {
  const form = useServer<TrainForm>(apiAddress('train/form'));
  const list = useServer<TrainingList>(apiAddress('trainings'));
  const [shown, setShown] = useState<string | null>(null);
  const [problem, setProblem] = useState<ServerError | null>(null);
  const { reload } = list;
  const isActive = list.data?.jobs.some(({ state }) => state === 'running' || state === 'waiting') ?? false;
  useEffect(() => {
    if (!isActive) return;
    const timer = setInterval(reload, lookMs);
    return () => clearInterval(timer);
  }, [isActive, reload]);
  const act = (path: string, body: unknown) => {
    setProblem(null);
    send<Job | TrainingList>(path, body).then(
      (answer) => {
        if ('id' in answer) setShown(answer.id);
        reload();
      },
      (error: ServerError) => setProblem(error),
    );
  };
  const failed = form.error ?? list.error;
  if (failed !== null) return <Problem error={failed} retry={form.error === null ? reload : form.reload} />;
  if (form.data === null || list.data === null) return <Loading />;
  const { jobs, held } = list.data;
  const current = shown ?? jobs.find(({ state }) => state === 'running')?.id ?? jobs.at(-1)?.id ?? null;
  const listed = jobs.find(({ id }) => id === current);
  return (
    <>
      <h1>{t('train.title')}</h1>
      <p class="lead">{t('train.lead')}</p>
      {problem !== null && <Problem error={problem} />}
      <TrainingForm
        form={form.data}
        data={parameters.data}
        transforms={parameters.transforms}
        onStart={(body) => act('trainings', body)}
        onProblem={setProblem}
      />
      <h2>{t('train.queue')}</h2>
      {held && (
        <p class="note">
          {t('train.held')}{' '}
          <button type="button" onClick={() => act('trainings/release', {})}>
            {t('train.release')}
          </button>
        </p>
      )}
      {jobs.length === 0 && <p class="empty">{t('train.empty')}</p>}
      <ul class="jobs">
        {jobs.toReversed().map((job) => (
          <JobLine key={job.id} job={job} isShown={job.id === listed?.id} onShow={() => setShown(job.id)} act={act} />
        ))}
      </ul>
      {listed !== undefined && <Live key={listed.id} job={listed} onOver={reload} />}
    </>
  );
}

interface FormProps {
  readonly form: TrainForm;
  readonly data: string | undefined;
  /** Transforms to begin with. */
  readonly transforms: string | undefined;
  readonly onStart: (body: unknown) => void;
  readonly onProblem: (error: ServerError | null) => void;
}

function TrainingForm({ form, data: asked, transforms, onStart, onProblem }: FormProps) {
  const { models, options, data: choices } = form;
  const all = asked === undefined || choices.includes(asked) ? choices : [asked, ...choices];
  const [model, setModel] = useState('lenet');
  const [data, setData] = useState(asked ?? 'mnist');
  const [name, setName] = useState('');
  const [values, setValues] = useState<Readonly<Record<string, string>>>(
    transforms === undefined ? {} : { transforms },
  );
  const [estimate, setEstimate] = useState<TrainingEstimate | 'running' | null>(null);
  const { recipe } = models.find((one) => one.name === model) ?? models[0];
  const usualName = `${model}-${data.replace(/^\w+:/, '').replaceAll(/[^\p{L}\p{N}]+/gu, '-')}`;
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  const set = (key: string, value: string) => setValues((before) => ({ ...before, [key]: value }));
  const ask = () => {
    onProblem(null);
    setEstimate('running');
    send<TrainingEstimate>('train/estimate', { model, data, name: name || usualName, options: given }).then(
      setEstimate,
      (error: ServerError) => {
        setEstimate(null);
        onProblem(error);
      },
    );
  };
  const words = [
    ...['fovea', 'train', model, '--data', data, '--out', `runs/${name || usualName}`],
    ...options.flatMap(({ key, flag, kind }) => {
      if (given[key] === undefined) return [];
      return kind === 'flag' ? (given[key] === 'true' ? [flag] : []) : [flag, given[key]];
    }),
  ];
  const field = (option: FormOption) => (
    <OptionField
      key={option.key}
      option={option}
      value={values[option.key] ?? ''}
      usual={recipeValue(recipe, option.key)}
      onChange={(value) => set(option.key, value)}
    />
  );
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        onStart({ model, data, name: name || usualName, options: given });
      }}
    >
      <div class="fields">
        <label>
          {t('train.data')}
          <select value={data} onChange={({ currentTarget }) => setData(currentTarget.value)}>
            {all.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          {t('train.network')}
          <select
            value={model}
            onChange={({ currentTarget }) => {
              setModel(currentTarget.value);
              setEstimate(null);
            }}
          >
            {models.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name} – {one.title}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t('train.name')}
          <input value={name} placeholder={usualName} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        {options.filter(({ usual }) => usual).map(field)}
      </div>
      <details open={transforms !== undefined}>
        <summary>{t('train.options')}</summary>
        <div class="fields">{options.filter(({ usual }) => !usual).map(field)}</div>
      </details>
      <ShapeWalk model={model} data={data} size={given.size} />
      <p class="actions">
        <button type="submit" class="primary">
          {t('train.start')}
        </button>
        <button type="button" disabled={estimate === 'running'} onClick={ask}>
          {t('train.estimate')}
        </button>
        <span role="status">
          {estimate === 'running' && t('train.estimating')}
          {estimate !== null &&
            estimate !== 'running' &&
            t('train.estimated', {
              time: duration(estimate.seconds),
              rate: count(estimate.imagesPerSecond),
              memory: bytes(estimate.memoryBytes),
              available: bytes(estimate.availableBytes),
            })}
        </span>
      </p>
      {estimate !== null &&
        estimate !== 'running' &&
        estimate.notes.map((note) => (
          <p key={note} class="hint">
            {note}
          </p>
        ))}
      <CommandLine words={words} />
    </form>
  );
}

function recipeValue(recipe: TrainForm['models'][number]['recipe'], key: string): string | null {
  return key in recipe ? String(recipe[key as keyof typeof recipe]) : null;
}

interface FieldProps {
  readonly option: FormOption;
  readonly value: string;
  readonly usual: string | null;
  readonly onChange: (value: string) => void;
}

function OptionField({ option, value, usual, onChange }: FieldProps) {
  const { key, help, kind, choices } = option;
  const fallback = usual ?? option.default.replaceAll('`', '');
  const title = help.replaceAll('`', '');
  const id = `option-${key}`;
  return (
    <div class="field">
      <label for={id}>{option.flag.slice(2)}</label>
      {kind === 'flag' || choices !== null ? (
        <select id={id} title={title} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
          <option value="">
            {t('train.default')}: {fallback}
          </option>
          {(choices ?? ['true']).map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          title={title}
          value={value}
          inputMode={kind === 'number' ? 'decimal' : 'text'}
          placeholder={fallback}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </div>
  );
}

interface JobProps {
  readonly job: Job;
  readonly isShown: boolean;
  readonly onShow: () => void;
  readonly act: (path: string, body: unknown) => void;
}

function JobLine({ job, isShown, onShow, act }: JobProps) {
  const { id, run, state, message } = job;
  return (
    <li>
      <strong>{run}</strong> <span class={state === 'failed' ? 'bad' : 'hint'}>{t(`train.${state}`)}</span>
      <span class="actions">
        {(state === 'running' || state === 'waiting') && (
          <button type="button" onClick={() => act('trainings/stop', { id })}>
            {t(state === 'running' ? 'train.pause' : 'train.remove')}
          </button>
        )}
        {state === 'stopped' && (
          <button type="button" onClick={() => act('trainings/resume', { run })}>
            {t('train.continue')}
          </button>
        )}
        {state === 'finished' && (
          <a class="button" href={href('evaluate', { run })}>
            {t('train.evaluate')}
          </a>
        )}
        {!isShown && (
          <button type="button" onClick={onShow}>
            {t('train.show')}
          </button>
        )}
      </span>
      {message !== null && <p class="problem">{message}</p>}
    </li>
  );
}

/** A training as it runs: curves, network, and features of an image. */
function Live({ job, onOver }: { readonly job: Job; readonly onOver: () => void }) {
  const course = useCourse(job.id, onOver);
  const { epoch, epochs, imagesPerSecond } = course;
  const [loss, accuracy] = useMemo(() => [lossOption(course), accuracyOption(course)], [course]);
  return (
    <section>
      <h2>{t('train.live')}</h2>
      <p role="status">
        {epoch > 0 && t('train.progress', { epoch, epochs })}
        {imagesPerSecond !== null && ` · ${t('train.rate', { rate: count(imagesPerSecond) })}`}
      </p>
      {epochs > 0 && <progress max={epochs} value={course.ends.length} aria-label={t('train.title')} />}
      <div class="charts">
        <Chart option={loss} label={t('train.lossBySteps')} />
        <Chart option={accuracy} label={t('train.accuracyByEpoch')} />
      </div>
      <TrainedLayers id={job.id} hasBegun={epochs > 0} />
      <LiveMaps job={job} />
    </section>
  );
}

function curve(name: string, color: string, data: readonly unknown[], showSymbol = false) {
  return { type: 'line', name, data, showSymbol, symbolSize: 7, lineStyle: { color, width: 2 }, itemStyle: { color } };
}

function lossOption({ steps, ends }: Course) {
  const evaluations = ends.flatMap(({ step, evalLoss }) => (evalLoss === null ? [] : [[step, evalLoss]]));
  return {
    legend,
    xAxis: numberAxis(t('train.step'), { splitLine: { show: false } }),
    yAxis: numberAxis(t('train.loss'), { min: 0 }, true),
    series: [
      curve(t('train.lossTraining'), '--blue', steps),
      curve(t('train.lossEvaluation'), '--orange', evaluations, true),
    ],
  };
}

function accuracyOption({ ends }: Course) {
  const of = (key: 'trainAccuracy' | 'evalAccuracy') =>
    ends.flatMap((end) => (end[key] === null ? [] : [[end.epoch, 100 * end[key]]]));
  return {
    legend,
    xAxis: numberAxis(t('train.epoch'), { minInterval: 1, splitLine: { show: false } }),
    yAxis: numberAxis(t('train.accuracy'), { scale: true, max: 100 }, true),
    series: [
      curve(t('train.lossTraining'), '--blue', of('trainAccuracy'), true),
      curve(t('train.lossEvaluation'), '--orange', of('evalAccuracy'), true),
    ],
  };
}
