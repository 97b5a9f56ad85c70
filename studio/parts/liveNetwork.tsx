import { useEffect, useState } from 'preact/hooks';
import type { Job, NetworkLayers } from '../../src/studio/api.js';
import type { LiveFeatures } from '../../src/studio/featuresApi.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import { CommandLine } from './command.js';
import { count } from './format.js';
import { LayerMaps } from './layerMaps.js';
import { LayerTable } from './layerTable.js';
import { Loading, Problem } from './notice.js';

/** Time until the next look after one that failed. */
const afterErrorMs = 5000;

/** Layers and shapes of the network that the form has, once they are asked for. */
export function ShapeWalk({ model, data, size }: { model: string; data: string; size: string | undefined }) {
  const [isOpen, setOpen] = useState(false);
  const address = apiAddress('train/layers', { model, data, size });
  const { data: network, error } = useServer<NetworkLayers>(isOpen ? address : null);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{t('train.layers')}</summary>
      {error !== null && <Problem error={error} />}
      {isOpen && network === null && error === null && <Loading />}
      {network !== null && (
        <>
          <p class="hint">{t('train.layersHint', { shape: network.input.join('×'), n: count(network.parameters) })}</p>
          <LayerTable network={network} />
          <CommandLine words={summaryOf(network)} />
        </>
      )}
    </details>
  );
}

const summaryOf = ({ model, input, outputs }: NetworkLayers) => [
  ...['fovea', 'summary', model, '--input', [1, ...input].join(',')],
  ...['--classes', String(outputs)],
];

/** Layers of a training's network. @param hasBegun whether its folder exists */
export function TrainedLayers({ id, hasBegun }: { readonly id: string; readonly hasBegun: boolean }) {
  const { data: network, error } = useServer<NetworkLayers>(hasBegun ? apiAddress('trainings/layers', { id }) : null);
  if (error !== null) return <Problem error={error} />;
  if (network === null) return null;
  return (
    <details>
      <summary>{t('train.layers')}</summary>
      <p class="hint">{t('train.layersHint', { shape: network.input.join('×'), n: count(network.parameters) })}</p>
      <LayerTable network={network} />
      <CommandLine words={summaryOf(network)} />
    </details>
  );
}

/** Feature maps of a chosen image, again after each saved state of the training. */
export function LiveMaps({ job: { id, run, state } }: { readonly job: Job }) {
  const [index, setIndex] = useState(0);
  const { data, error, reload } = useServer<LiveFeatures>(apiAddress('trainings/features', { id, index }));
  const isRunning = state === 'running';
  useEffect(() => {
    if (!isRunning) return reload();
    if (data === null && error === null) return;
    const timer = setTimeout(function look() {
      // A page that is not seen costs nothing.
      if (document.hidden) document.addEventListener('visibilitychange', reload, { once: true });
      else reload();
    }, data?.nextMs ?? afterErrorMs);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', reload);
    };
  }, [isRunning, data, error, reload]);
  const image = data?.image ?? null;
  return (
    <section>
      <h2>{t('train.maps')}</h2>
      <p class="hint">{t('train.mapsHint')}</p>
      <p class="actions">
        <label>
          {t('features.image')}{' '}
          <input
            type="number"
            min={0}
            max={999}
            value={index}
            onChange={({ currentTarget: { valueAsNumber: n } }) =>
              setIndex(Math.min(Math.max(0, Math.round(n) || 0), 999))
            }
          />
        </label>
        <span role="status">
          {data !== null && (data.epoch === 0 ? t('train.mapsWait') : t('train.mapsEpoch', { epoch: data.epoch }))}
        </span>
      </p>
      {error !== null && <Problem error={error} retry={reload} />}
      {image !== null && (
        <>
          <figure class="image">
            <img class="pixels" src={image.picture} alt={image.name} />
            <figcaption>
              <b>{image.class}</b> {image.name}
            </figcaption>
          </figure>
          <LayerMaps image={image} />
          <CommandLine words={['fovea', 'features', run]} />
        </>
      )}
    </section>
  );
}
