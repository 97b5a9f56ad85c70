import type { ImageMaps } from '../../src/studio/featuresApi.js';
import { t } from '../texts/index.js';

/** The channels of each layer for an image. */
export function LayerMaps({ image: { name, maps } }: { readonly image: ImageMaps }) {
  return (
    <div class="layers">
      {maps.map((map) => (
        <figure key={map.name}>
          <img class="pixels" src={map.picture} alt={t('features.layerOf', { layer: map.name, image: name })} />
          <figcaption>
            <code>{map.name}</code> {map.shape.slice(1).join('×')}
          </figcaption>
        </figure>
      ))}
    </div>
  );
}
