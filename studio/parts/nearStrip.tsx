import type { ComponentChildren } from 'preact';
import type { NearPictures } from '../../src/studio/featuresApi.js';
import { t } from '../texts/index.js';
import { Scroll } from './scroll.js';

interface NearStripProps {
  readonly near: NearPictures;
  /** The picture itself, before the others. */
  readonly children?: ComponentChildren;
}

/** The nearest training images in a row, with class, name and distance. */
export function NearStrip({ near, children }: NearStripProps) {
  return (
    <Scroll label={t('features.near')}>
      <div class="strip">
        {children}
        {near.neighbours.map(({ name, class: named, distance, picture }) => (
          <figure key={name}>
            <img class="pixels" src={picture} alt={name} />
            <figcaption>
              <b>{named}</b> {name} · {distance.toPrecision(3)}
            </figcaption>
          </figure>
        ))}
      </div>
    </Scroll>
  );
}
