import { useState } from 'preact/hooks';
import type { ChannelsOfLayer, FeatureMap, FeaturesOfImage, FiltersOfRun } from '../../src/studio/featuresApi.js';
import { CommandLine } from '../parts/command.js';
import { count, percent } from '../parts/format.js';
import { LayerMaps } from '../parts/layerMaps.js';
import { NearStrip } from '../parts/nearStrip.js';
import { Loading, Problem } from '../parts/notice.js';
import { RunChoice } from '../parts/runChoice.js';
import { classColour, Scatter } from '../parts/scatter.js';
import { Scroll } from '../parts/scroll.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import type { PageProps } from './index.js';

/** Filters, channels, a map of images, and an image layer by layer. */
export default function FeaturesPage({ parameters: { run } }: PageProps) {
  return (
    <>
      <h1>{t('features.title')}</h1>
      <p class="lead">{t('features.lead')}</p>
      <RunChoice page="features" run={run} />
      {run !== undefined && (
        <>
          <Filters run={run} />
          <Channels run={run} />
          <Images run={run} />
          <CommandLine words={['fovea', 'features', run]} />
        </>
      )}
    </>
  );
}

function Filters({ run }: { readonly run: string }) {
  const { data, error } = useServer<FiltersOfRun>(apiAddress('features/filters', { run }));
  if (error !== null) return <Problem error={error} />;
  if (data === null) return <Loading />;
  const { layer, count: filters, height, width, picture } = data;
  const about = t('features.filtersOf', { n: filters, height, width, layer });
  return (
    <section>
      <h2>{t('features.filters')}</h2>
      <p class="hint">{about}</p>
      <img class="pixels" src={picture} alt={about} />
    </section>
  );
}

function Channels({ run }: { readonly run: string }) {
  const { data, error } = useServer<ChannelsOfLayer[]>(apiAddress('features/channels', { run }));
  if (error !== null) return <Problem error={error} />;
  if (data === null) return <Loading />;
  return (
    <section>
      <h2>{t('features.dead')}</h2>
      <p class="hint">{t('features.deadHint')}</p>
      <Scroll label={t('features.dead')}>
        <table>
          <thead>
            <tr>
              {(['layer', 'channels', 'dead'] as const).map((key) => (
                <th key={key} scope="col">
                  {t(`features.${key}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.map(({ name, channels, dead }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{count(channels)}</td>
                <td class="number">{count(dead.length)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** The map, and the image that is chosen on it. */
function Images({ run }: { readonly run: string }) {
  const [method, setMethod] = useState('pca');
  const [chosen, setChosen] = useState(0);
  const { data, error } = useServer<FeatureMap>(apiAddress('features/map', { run, method }));
  return (
    <section>
      <h2>{t('features.map')}</h2>
      <p class="hint">{t(method === 'pca' ? 'features.pcaHint' : 'features.umapHint')}</p>
      <p class="actions">
        <label>
          {t('features.method')}{' '}
          <select value={method} onChange={({ currentTarget }) => setMethod(currentTarget.value)}>
            <option value="pca">PCA</option>
            <option value="umap">UMAP</option>
          </select>
        </label>
        <label>
          {t('features.image')}{' '}
          <input
            type="number"
            min={0}
            max={(data?.points.length ?? 1) - 1}
            value={chosen}
            onChange={({ currentTarget: { valueAsNumber: n } }) =>
              setChosen(Math.min(Math.max(0, Math.round(n) || 0), (data?.points.length ?? 1) - 1))
            }
          />
        </label>
        {data !== null && data.explained !== null && (
          <span class="hint">{t('features.explained', { share: percent(data.explained, 0) })}</span>
        )}
      </p>
      {error !== null && <Problem error={error} />}
      {data === null && error === null && <Loading />}
      {data !== null && (
        <div class="mapped">
          <Scatter points={data.points} classes={data.classNames.length} chosen={chosen} choose={setChosen} />
          <ul class="legend">
            {data.classNames.map((name, label) => (
              <li key={name}>
                <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                  <circle cx="6" cy="6" r="6" fill={classColour(label, data.classNames.length)} />
                </svg>{' '}
                {name}
              </li>
            ))}
          </ul>
        </div>
      )}
      {data !== null && <Image run={run} index={chosen} />}
    </section>
  );
}

function Image({ run, index }: { readonly run: string; readonly index: number }) {
  const { data, error } = useServer<FeaturesOfImage>(apiAddress('features/image', { run, index }));
  if (error !== null) return <Problem error={error} />;
  if (data === null) return <Loading />;
  const { name, class: truth, picture, searched } = data;
  return (
    <>
      <h3>{t('features.near')}</h3>
      <p class="hint">{t('features.nearHint', { n: count(searched) })}</p>
      <NearStrip near={data}>
        <figure class="own">
          <img class="pixels" src={picture} alt={name} />
          <figcaption>
            <b>{truth}</b> {name}
          </figcaption>
        </figure>
      </NearStrip>
      <h3>{t('features.layers')}</h3>
      <p class="hint">{t('features.layersHint')}</p>
      <LayerMaps image={data} />
    </>
  );
}
