import type { NetworkLayers } from '../../src/studio/api.js';
import { t } from '../texts/index.js';
import { count } from './format.js';
import { Scroll } from './scroll.js';

/** The layers of a network, with the shapes of their outputs for one image. */
export function LayerTable({ network }: { readonly network: NetworkLayers }) {
  return (
    <Scroll label={t('course.shapes', { model: network.model, n: count(network.parameters) })}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('course.layer')}</th>
            <th scope="col">{t('course.output')}</th>
            <th scope="col" class="number">
              {t('course.weights')}
            </th>
          </tr>
        </thead>
        <tbody>
          {network.layers.map(({ name, shape, parameters }, i) => (
            // A layer that an image passes twice is there twice.
            <tr key={i}>
              <th scope="row">{name}</th>
              <td>{shape.slice(1).join('×')}</td>
              <td class="number">{parameters === 0 ? '' : count(parameters)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
