export { type CamMethod, type CamOptions, classActivation } from './cam.js';
export {
  cascade,
  type MapMaker,
  type PerturbationCurve,
  type PerturbationOptions,
  type Perturbations,
  perturb,
  type RandomizedMap,
  rankCorrelation,
} from './checks.js';
export {
  type ChannelActivityOptions,
  channelActivity,
  channelPictures,
  chosenLayers,
  type FeatureLayer,
  type FeatureMaps,
  type Filters,
  featureLayers,
  featureMaps,
  filterPictures,
  firstFilters,
  type LayerActivity,
  lastFeatures,
  NearestFeatures,
  type Neighbour,
  type PrincipalComponents,
  principalComponents,
  type TileOptions,
  type TilePicture,
  tiles,
  type UmapOptions,
  umap,
} from './features/index.js';
export {
  type IntegratedGradients,
  type IntegratedGradientsOptions,
  integratedGradients,
} from './integratedGradients.js';
export { lastMapLayer, type MapLayer, mapLayers } from './layers.js';
export { type AttributionMaps, mapOf, normalizeMaps, resizeMaps } from './maps.js';
export { type OcclusionOptions, occlusion } from './occlusion.js';
export { type ColorScale, colorMap, overlay, scaleFor } from './overlay.js';
export { type ExplainedClass, scoreOf } from './score.js';
