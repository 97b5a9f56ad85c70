// Features of a network, to look at: filters, maps of layers, dead channels, neighbours, maps of many images.

export { type ChannelActivityOptions, channelActivity, type LayerActivity } from './channels.js';
export { type Filters, filterPictures, firstFilters, type TilePicture } from './filters.js';
export {
  chosenLayers,
  type FeatureLayer,
  type FeatureMaps,
  featureLayers,
  featureMaps,
  lastFeatures,
} from './layers.js';
export { NearestFeatures, type Neighbour } from './nearest.js';
export { type PrincipalComponents, principalComponents } from './pca.js';
export { channelPictures, type TileOptions, tiles } from './tiles.js';
export { type UmapOptions, umap } from './umap.js';
