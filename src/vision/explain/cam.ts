import { InputError } from '../../errors.js';
import { formatShape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import { layerOutputs } from '../../nn/layerOutputs.js';
import { relu } from '../../tensor/functional.js';
import { grad } from '../../tensor/grad.js';
import { noGrad } from '../../tensor/noGrad.js';
import type { Tensor } from '../../tensor/tensor.js';
import { lastMapLayer } from './layers.js';
import type { AttributionMaps } from './maps.js';
import { type ExplainedClass, scoreOf } from './score.js';

/**
 * How features and the gradient of the score give a map:
 *
 * - `gradcam`: the features weighted by the mean gradient of their channel (Selvaraju et al. 2017, equations
 *   1 and 2).
 * - `hirescam`: features times gradients, summed over channels (Draelos and Carin 2020). It shows where a
 *   layer counted; for a network that ends with global pooling and a linear layer it is Grad-CAM.
 * - `layercam`: features times positive gradients (Jiang et al. 2021), for earlier layers too.
 *
 * All are cut off below 0.
 */
export type CamMethod = 'gradcam' | 'hirescam' | 'layercam';

export interface CamOptions extends ExplainedClass {
  /** Default `gradcam`. */
  readonly method?: CamMethod | undefined;
  /** Dotted name of the layer whose features are used, as in `network.namedSublayers()`. */
  readonly layer: string;
}

const methods: Readonly<Record<CamMethod, (features: Tensor, gradient: Tensor) => Tensor>> = {
  gradcam: (features, gradient) => gradient.mean({ axis: [2, 3], keepdim: true }).mul(features),
  hirescam: (features, gradient) => gradient.mul(features),
  layercam: (features, gradient) => relu(gradient).mul(features),
};

/**
 * A map of the places that speak for a class, at the resolution of a layer's features; see {@link
 * CamMethod}.
 *
 * @param network in evaluation mode
 * @param images `[N, C, H, W]`, as the network takes them
 * @returns maps of 0 and more, not scaled
 * @throws {InputError} for a layer without a map (features of 1×1, or none), a class or a layer that there
 *   is not
 *
 * @example
 * ```ts
 * import { randn, vision } from 'fovea';
 *
 * const net = new vision.models.course.LeNet({ numClasses: 10 }).eval();
 * const digit = randn([1, 1, 28, 28]);
 * const maps = await vision.explain.classActivation(net, digit, { layer: 'conv2', class: 3 });
 * ```
 */
export async function classActivation(network: Layer, images: Tensor, options: CamOptions): Promise<AttributionMaps> {
  const { method = 'gradcam', layer } = options;
  if (!Object.hasOwn(methods, method)) {
    throw new InputError(`[explain] method: expected ${Object.keys(methods).join(', ')}, got '${method}'`);
  }
  // With the images in the graph there is a gradient even where all parameters are frozen.
  const { output, layers } = layerOutputs(network, [layer], images.withGrad());
  const features = layers.get(layer) as Tensor;
  requireMap(layer, features, network, images);
  const [gradient] = grad(scoreOf(output, options), [features]);
  const map = noGrad(() => relu(methods[method](features, gradient).sum({ axis: 1 })));
  const [count, , height, width] = features.shape;
  return { values: await map.data('float32'), shape: [count, height, width] };
}

function requireMap(name: string, { shape }: Tensor, network: Layer, images: Tensor): void {
  if (shape.length === 4 && shape[2] * shape[3] > 1) return;
  const better = lastMapLayer(network, images.shape);
  throw new InputError(
    `[explain] layer: expected features of several places [N, C, H, W], got ${formatShape(shape)} of '${name}'; ` +
      (better === null ? 'use occlusion, which needs no layer' : `choose '${better}' or an earlier layer`),
  );
}
