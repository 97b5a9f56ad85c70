export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  normalize,
  toGrayscale,
  toTensor,
} from './color.js';
export {
  CenterCrop,
  Grayscale,
  Normalize,
  type NormalizeOptions,
  Pad,
  Resize,
  type ResizeTransformOptions,
  ToTensor,
  Transpose,
} from './fixed.js';
export {
  type AffineOptions,
  affine,
  centerCrop,
  crop,
  erase,
  hflip,
  type ImageSize,
  type Padding,
  type PaddingMode,
  type PadOptions,
  pad,
  type RotateOptions,
  resize,
  rotate,
  vflip,
} from './geometry.js';
export { type ChannelOrder, normalizeInto, type RGBImage, toCHW } from './image.js';
export {
  BrightnessTransform,
  ColorJitter,
  type ColorJitterOptions,
  ContrastTransform,
  HueTransform,
  type JitterFactor,
  SaturationTransform,
} from './jitter.js';
export { parseTransforms, type TransformEntry } from './parse.js';
export {
  RandomAffine,
  type RandomAffineOptions,
  RandomHorizontalFlip,
  RandomRotation,
  type RandomRotationOptions,
  RandomVerticalFlip,
} from './randomMoves.js';
export {
  RandomCrop,
  type RandomCropOptions,
  RandomErasing,
  type RandomErasingOptions,
  RandomResizedCrop,
  type RandomResizedCropOptions,
} from './randomParts.js';
export type { Layout, Raster, RasterData } from './raster.js';
export type { Interpolation } from './resample.js';
export { type ResizeOptions, resizeBilinear } from './resize.js';
export {
  Compose,
  NamedTransform,
  type OptionSchema,
  Transform,
  type TransformFunction,
  type TransformSpec,
} from './transform.js';
export type { WarpInterpolation, WarpOptions } from './warp.js';
