import type { Shape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import { AlexNet, GoogLeNet, LeNet224, lenet, ResNet, VGG16 } from './index.js';

/** What a network is made with. */
export interface ModelOptions {
  /** Number of logits. */
  readonly numClasses: number;
  /** The two inner classifiers of GoogLeNet, which help to train it. */
  readonly auxiliaryHeads?: boolean | undefined;
}

/** A network that can be asked for by name. */
export interface ModelKind {
  readonly title: string;
  /** `[channels, height, width]` that it is made for. */
  readonly inputShape: Shape;
  /** Whether it takes images of other sizes as well. */
  readonly anySize?: boolean;
  /** Whether it can be made with auxiliary heads. */
  readonly auxiliaryHeads?: boolean;
  create(options: ModelOptions, inputShape: Shape): Layer;
}

const inputShape = [3, 224, 224];

const resnet = (layers: 50 | 101 | 152): ModelKind => ({
  title: `ResNet-${layers}`,
  inputShape,
  anySize: true,
  create: ({ numClasses }) => new ResNet({ layers, numClasses }),
});

export const modelKinds: Readonly<Record<string, ModelKind>> = {
  lenet: { title: 'LeNet', inputShape: [1, 28, 28], create: lenet },
  lenet224: { title: 'LeNet for 224×224', inputShape, create: (options) => new LeNet224(options) },
  alexnet: { title: 'AlexNet', inputShape, create: (options) => new AlexNet(options) },
  vgg16: { title: 'VGG-16', inputShape, create: (options) => new VGG16(options) },
  googlenet: {
    title: 'GoogLeNet',
    inputShape,
    anySize: true,
    auxiliaryHeads: true,
    create: ({ numClasses, auxiliaryHeads = false }, [, imageSize]) =>
      new GoogLeNet({ numClasses, auxiliaryHeads, imageSize }),
  },
  resnet50: resnet(50),
  resnet101: resnet(101),
  resnet152: resnet(152),
};
