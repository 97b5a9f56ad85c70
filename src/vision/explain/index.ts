export { type CamMethod, type CamOptions, classActivation } from './cam.js';
export {
  type IntegratedGradients,
  type IntegratedGradientsOptions,
  integratedGradients,
} from './integratedGradients.js';
export { type AttributionMaps, mapOf, normalizeMaps, resizeMaps } from './maps.js';
export { type OcclusionOptions, occlusion } from './occlusion.js';
export type { ExplainedClass } from './score.js';
