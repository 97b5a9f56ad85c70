import type { Shape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import { lenet } from './index.js';

/** A network that can be asked for by name. */
export interface ModelKind {
  readonly title: string;
  /** `[channels, height, width]` that it is made for. */
  readonly inputShape: Shape;
  create(options: { readonly numClasses: number }): Layer;
}

export const modelKinds: Readonly<Record<string, ModelKind>> = {
  lenet: { title: 'LeNet', inputShape: [1, 28, 28], create: lenet },
};
