import type { Layer } from '../nn/layer.js';
import type { Tensor } from '../tensor/tensor.js';
import { encodePng } from '../vision/images/png.js';
import { explain } from '../vision/index.js';
import type { LayerMap } from './featuresApi.js';
import { pictureAddress } from './openRuns.js';

/** Layers whose maps are shown, from the first to the last. */
const mostLayers = 8;

/** The channels of some layers for an image, as pictures. @param input `[1, C, H, W]` */
export async function layerMaps(network: Layer, input: Tensor): Promise<LayerMap[]> {
  const known = explain.featureLayers(network, input.shape).filter(({ shape }) => shape.length === 4 && shape[2] > 1);
  const step = Math.max(1, (known.length - 1) / (mostLayers - 1));
  const some = known.filter((_, i) => Math.floor(i / step) > Math.floor((i - 1) / step));
  const maps: LayerMap[] = [];
  for (const map of await explain.featureMaps(network, input, { layers: some.map(({ name }) => name) })) {
    const { values, shape } = explain.tiles(explain.channelPictures(map), { size: 64 });
    maps.push({ name: map.name, shape: map.shape, picture: pictureAddress(await encodePng(values, shape)) });
  }
  return maps;
}
