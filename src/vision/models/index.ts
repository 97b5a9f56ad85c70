import { AlexNet } from './alexnet.js';
import { ConvNeXt } from './convnext.js';
import { DenseNet, type DenseNetOptions } from './densenet.js';
import { EfficientNet } from './efficientnet.js';
import { GoogLeNet } from './googlenet.js';
import { InceptionV3 } from './inceptionV3.js';
import { LeNet } from './lenet.js';
import { type MobileNetOptions, MobileNetV1 } from './mobilenetV1.js';
import { MobileNetV2 } from './mobilenetV2.js';
import { MobileNetV3 } from './mobilenetV3.js';
import type { NetworkOptions, PooledOptions } from './options.js';
import { builder } from './pretrained.js';
import { RegNet } from './regnet.js';
import { ResNet } from './resnet.js';
import { ShuffleNetV2, type ShuffleNetV2Options } from './shufflenetV2.js';
import { SqueezeNet } from './squeezenet.js';
import { VGG, type VGGOptions } from './vgg.js';
import { VisionTransformer, type VisionTransformerOptions } from './visionTransformer.js';

// The networks of `paddle.vision.models`: the same layers, names and order of parameters, outputs and initial
// weights. `course` holds those of PaddlePaddle's tutorial.

export { AlexNet } from './alexnet.js';
export { ConvNeXt } from './convnext.js';
export * as course from './course/index.js';
export { DenseNet, type DenseNetOptions } from './densenet.js';
export { EfficientNet } from './efficientnet.js';
export { GoogLeNet } from './googlenet.js';
export { InceptionV3 } from './inceptionV3.js';
export { LeNet } from './lenet.js';
export { type MobileNetOptions, MobileNetV1 } from './mobilenetV1.js';
export { MobileNetV2 } from './mobilenetV2.js';
export { MobileNetV3 } from './mobilenetV3.js';
export type { NetworkOptions, PooledOptions } from './options.js';
export type { NetworkBuilder, PretrainedOptions } from './pretrained.js';
export { RegNet } from './regnet.js';
export { ResNet, type ResNetOptions } from './resnet.js';
export { ShuffleNetV2, type ShuffleNetV2Options } from './shufflenetV2.js';
export { SqueezeNet } from './squeezenet.js';
export { VGG, type VGGOptions } from './vgg.js';
export { VisionTransformer, type VisionTransformerOptions } from './visionTransformer.js';

/**
 * {@link LeNet} for 28×28 grey images; 10 classes by default.
 *
 * @example
 * ```ts
 * const digits = vision.models.lenet();
 * const letters = vision.models.lenet({ numClasses: 26 });
 * ```
 */
export const lenet = builder(
  () => 'lenet',
  (options: NetworkOptions) => new LeNet(options),
);
/** {@link AlexNet} for 224×224 images. */
export const alexnet = builder(
  () => 'alexnet',
  (options: NetworkOptions) => new AlexNet(options),
);
/** {@link GoogLeNet} with its auxiliary classifiers. */
export const googlenet = builder(
  () => 'googlenet',
  (options: PooledOptions) => new GoogLeNet(options),
);

const vgg = (depth: 11 | 13 | 16 | 19) =>
  builder(
    ({ batchNorm = false }: VGGOptions) => `vgg${depth}${batchNorm ? '_bn' : ''}`,
    (options) => new VGG(depth, options),
  );

/** {@link VGG} of 11 layers. */
export const vgg11 = vgg(11);
/** {@link VGG} of 13 layers. */
export const vgg13 = vgg(13);
/** {@link VGG} of 16 layers. */
export const vgg16 = vgg(16);
/** {@link VGG} of 19 layers. */
export const vgg19 = vgg(19);

const resnet = (name: string, depth: 18 | 34 | 50 | 101 | 152, shape: { groups?: number; width?: number } = {}) =>
  builder(
    () => name,
    (options: PooledOptions) => new ResNet(depth, { ...options, ...shape }),
  );

/** {@link ResNet} of 18 layers. */
export const resnet18 = resnet('resnet18', 18);
/** {@link ResNet} of 34 layers. */
export const resnet34 = resnet('resnet34', 34);
/**
 * {@link ResNet} of 50 layers.
 *
 * @example
 * ```ts
 * const untrained = vision.models.resnet50({ numClasses: 2 });
 * const pretrained = await vision.models.resnet50({ numClasses: 2, pretrained: true });
 * ```
 */
export const resnet50 = resnet('resnet50', 50);
/** {@link ResNet} of 101 layers. */
export const resnet101 = resnet('resnet101', 101);
/** {@link ResNet} of 152 layers. */
export const resnet152 = resnet('resnet152', 152);
/** Wide {@link ResNet} of 50 layers, whose bottlenecks have twice the channels. */
export const wideResnet50_2 = resnet('wide_resnet50_2', 50, { width: 128 });
/** Wide {@link ResNet} of 101 layers. */
export const wideResnet101_2 = resnet('wide_resnet101_2', 101, { width: 128 });
/** ResNeXt ({@link ResNet} with groups) of 50 layers, 32 groups of 4 channels. */
export const resnext50_32x4d = resnet('resnext50_32x4d', 50, { groups: 32, width: 4 });
/** ResNeXt of 50 layers, 64 groups of 4 channels. */
export const resnext50_64x4d = resnet('resnext50_64x4d', 50, { groups: 64, width: 4 });
/** ResNeXt of 101 layers, 32 groups of 4 channels. */
export const resnext101_32x4d = resnet('resnext101_32x4d', 101, { groups: 32, width: 4 });
/** ResNeXt of 101 layers, 64 groups of 4 channels. */
export const resnext101_64x4d = resnet('resnext101_64x4d', 101, { groups: 64, width: 4 });
/** ResNeXt of 152 layers, 32 groups of 4 channels. */
export const resnext152_32x4d = resnet('resnext152_32x4d', 152, { groups: 32, width: 4 });
/** ResNeXt of 152 layers, 64 groups of 4 channels. */
export const resnext152_64x4d = resnet('resnext152_64x4d', 152, { groups: 64, width: 4 });

/** Paddle has weights for scale 1 only. */
const scaled = (name: string, { scale = 1 }: MobileNetOptions) => (scale === 1 ? name : `${name}_${scale}`);

/** {@link MobileNetV1}. */
export const mobilenetV1 = builder(
  (options: MobileNetOptions) => scaled('mobilenet_v1', options),
  (options) => new MobileNetV1(options),
);
/** {@link MobileNetV2}. */
export const mobilenetV2 = builder(
  (options: MobileNetOptions) => scaled('mobilenet_v2', options),
  (options) => new MobileNetV2(options),
);

const densenet = (depth: 121 | 161 | 169 | 201 | 264) =>
  builder(
    () => `densenet${depth}`,
    (options: DenseNetOptions) => new DenseNet(depth, options),
  );

/** {@link DenseNet} of 121 layers. */
export const densenet121 = densenet(121);
/** {@link DenseNet} of 161 layers, with half as many channels again. */
export const densenet161 = densenet(161);
/** {@link DenseNet} of 169 layers. */
export const densenet169 = densenet(169);
/** {@link DenseNet} of 201 layers. */
export const densenet201 = densenet(201);
/** {@link DenseNet} of 264 layers. */
export const densenet264 = densenet(264);

const squeezenet = (version: '1.0' | '1.1') =>
  builder(
    () => `squeezenet${version.replace('.', '_')}`,
    (options: PooledOptions) => new SqueezeNet(version, options),
  );

/** {@link SqueezeNet} 1.0. */
export const squeezenet1_0 = squeezenet('1.0');
/** {@link SqueezeNet} 1.1, with less than half as many operations. */
export const squeezenet1_1 = squeezenet('1.1');

/** {@link InceptionV3} for images of 299×299. */
export const inceptionV3 = builder(
  () => 'inception_v3',
  (options: PooledOptions) => new InceptionV3(options),
);

/** {@link MobileNetV3}, small. */
export const mobilenetV3Small = builder(
  (options: MobileNetOptions) => scaled('mobilenet_v3_small', options),
  (options) => new MobileNetV3('small', options),
);
/** {@link MobileNetV3}, large. */
export const mobilenetV3Large = builder(
  (options: MobileNetOptions) => scaled('mobilenet_v3_large', options),
  (options) => new MobileNetV3('large', options),
);

const shufflenet = (
  name: string,
  own: Required<Pick<ShuffleNetV2Options, 'scale'>> & Pick<ShuffleNetV2Options, 'act'>,
) =>
  builder(
    () => `shufflenet_v2_${name}`,
    (options: PooledOptions) => new ShuffleNetV2({ ...options, ...own }),
  );

/** {@link ShuffleNetV2} of scale 0.25. */
export const shufflenetV2X0_25 = shufflenet('x0_25', { scale: 0.25 });
/** {@link ShuffleNetV2} of scale 0.33. */
export const shufflenetV2X0_33 = shufflenet('x0_33', { scale: 0.33 });
/** {@link ShuffleNetV2} of scale 0.5. */
export const shufflenetV2X0_5 = shufflenet('x0_5', { scale: 0.5 });
/** {@link ShuffleNetV2} of scale 1. */
export const shufflenetV2X1_0 = shufflenet('x1_0', { scale: 1 });
/** {@link ShuffleNetV2} of scale 1.5. */
export const shufflenetV2X1_5 = shufflenet('x1_5', { scale: 1.5 });
/** {@link ShuffleNetV2} of scale 2. */
export const shufflenetV2X2_0 = shufflenet('x2_0', { scale: 2 });
/** {@link ShuffleNetV2} of scale 1 with swish activations. */
export const shufflenetV2Swish = shufflenet('swish', { scale: 1, act: 'swish' });

// Paddle has none of the networks below. Their layers and names are torchvision's.

const efficientnet = (size: 'b0' | 'b1' | 'b2' | 'b3') =>
  builder(
    () => `efficientnet_${size}`,
    (options: NetworkOptions) => new EfficientNet(size, options),
  );

/** {@link EfficientNet} B0. */
export const efficientnetB0 = efficientnet('b0');
/** {@link EfficientNet} B1, of more layers. */
export const efficientnetB1 = efficientnet('b1');
/** {@link EfficientNet} B2, of more layers and channels. */
export const efficientnetB2 = efficientnet('b2');
/** {@link EfficientNet} B3, of still more layers and channels. */
export const efficientnetB3 = efficientnet('b3');

const regnet = (variant: 'y_400mf' | 'y_800mf' | 'y_1_6gf' | 'y_3_2gf') =>
  builder(
    () => `regnet_${variant}`,
    (options: NetworkOptions) => new RegNet(variant, options),
  );

/** {@link RegNet} of 400 million multiply-adds. */
export const regnetY400mf = regnet('y_400mf');
/** {@link RegNet} of 800 million multiply-adds. */
export const regnetY800mf = regnet('y_800mf');
/** {@link RegNet} of 1.6 billion multiply-adds. */
export const regnetY1_6gf = regnet('y_1_6gf');
/** {@link RegNet} of 3.2 billion multiply-adds. */
export const regnetY3_2gf = regnet('y_3_2gf');

/** {@link ConvNeXt}, the tiny one. */
export const convnextTiny = builder(
  () => 'convnext_tiny',
  (options: NetworkOptions) => new ConvNeXt('tiny', options),
);

/** {@link VisionTransformer} of 384 channels and 6 heads, `vit_small_patch16_224` in timm. */
export const vitSmall = builder(
  () => 'vit_small_patch16_224',
  (options: VisionTransformerOptions) => new VisionTransformer('vit_small', options),
);
/** {@link VisionTransformer} of 192 channels and 3 heads, `deit_tiny_patch16_224` in timm. */
export const deitTiny = builder(
  () => 'deit_tiny_patch16_224',
  (options: VisionTransformerOptions) => new VisionTransformer('deit_tiny', options),
);
