import { useState } from 'preact/hooks';
import type { DataChoices, DataLayout } from '../../src/studio/api.js';
import { ArchiveView } from '../parts/archive.js';
import { CommandLine } from '../parts/command.js';
import { DataCheckSection } from '../parts/dataCheck.js';
import { count } from '../parts/format.js';
import { PictureGrid } from '../parts/grid.js';
import { MakeClass } from '../parts/makeClass.js';
import { Loading, Problem } from '../parts/notice.js';
import { Scroll } from '../parts/scroll.js';
import { Transforms } from '../parts/transforms.js';
import { go, href } from '../route.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import type { PageProps } from './index.js';

/** Begins archives in the list. */
const archivePrefix = 'archive:';

export default function DataPage({ parameters }: PageProps) {
  const choices = useServer<DataChoices>(apiAddress('data'));
  if (choices.error !== null) return <Problem error={choices.error} retry={choices.reload} />;
  if (choices.data === null) return <Loading />;
  const all = [...choices.data.data, ...choices.data.archives.map((name) => `${archivePrefix}${name}`)];
  const data = parameters.data ?? all[0];
  return (
    <>
      <h1>{t('data.title')}</h1>
      <p class="lead">{t('data.lead')}</p>
      <label class="inline">
        {t('data.set')}{' '}
        <select value={data} onChange={({ currentTarget }) => go('data', { data: currentTarget.value })}>
          {(all.includes(data) ? all : [data, ...all]).map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <MakeClass />
      {data.startsWith(archivePrefix) ? (
        <ArchiveView key={data} name={data.slice(archivePrefix.length)} />
      ) : (
        <DataSet key={data} data={data} />
      )}
    </>
  );
}

function DataSet({ data }: { readonly data: string }) {
  const { data: layout, error, reload } = useServer<DataLayout>(apiAddress('data/layout', { data }));
  const [part, setPart] = useState<string | null>(null);
  const [label, setLabel] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  if (error !== null) return <Problem error={error} retry={reload} />;
  if (layout === null) return <Loading />;
  const { title, classNames, parts, passedOver, notes, isFiles } = layout;
  const sum = (counts: readonly number[]) => counts.reduce((total, n) => total + n, 0);
  const inView = parts.filter((one) => part === null || one.part === part);
  const total = sum(inView.map(({ counts }) => (label === null ? sum(counts) : counts[label])));
  return (
    <>
      <section>
        <h2>{title}</h2>
        <Scroll label={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('data.part')}</th>
                {classNames.map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
                <th scope="col" class="number">
                  {t('data.sum')}
                </th>
              </tr>
            </thead>
            <tbody>
              {parts.map((one) => (
                <tr key={one.part}>
                  <th scope="row">{one.part}</th>
                  {one.counts.map((n, c) => (
                    <td key={classNames[c]} class="number">
                      {count(n)}
                    </td>
                  ))}
                  <td class="number">{count(sum(one.counts))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
        {passedOver !== '' && <p class="note">{t('data.passedOver', { text: passedOver })}</p>}
        {notes.map((note) => (
          <p key={note} class="note">
            {note}
          </p>
        ))}
        <a class="button" href={href('train', { data })}>
          {t('data.train')}
        </a>
      </section>
      <section>
        <h2>
          {t('data.pictures')} ({count(total)})
        </h2>
        <p class="actions">
          <label>
            {t('data.part')}{' '}
            <select value={part ?? ''} onChange={({ currentTarget }) => setPart(currentTarget.value || null)}>
              <option value="">{t('data.all')}</option>
              {parts.map((one) => (
                <option key={one.part}>{one.part}</option>
              ))}
            </select>
          </label>
          <label>
            {t('data.class')}{' '}
            <select
              value={label ?? ''}
              onChange={({ currentTarget: { value } }) => setLabel(value === '' ? null : Number(value))}
            >
              <option value="">{t('data.all')}</option>
              {classNames.map((name, c) => (
                <option key={name} value={c}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </p>
        <PictureGrid data={data} part={part} label={label} total={total} onChoose={setChosen} />
      </section>
      <Transforms
        data={data}
        picture={chosen}
        total={sum(parts.map(({ counts }) => sum(counts)))}
        onPicture={setChosen}
      />
      <DataCheckSection data={data} isFiles={isFiles} />
      <CommandLine words={['fovea', 'data', 'check', data, '--out', 'checked']} />
    </>
  );
}
