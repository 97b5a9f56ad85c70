import type { Shape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import * as models from '../../vision/models/index.js';
import type { NamedModel } from './namedModel.js';
import { photos } from './usualRecipes.js';

type Create = (options: { readonly numClasses: number }, inputShape: Shape) => Layer;

const entry = (title: string, create: Create): Omit<NamedModel, 'weights'> => ({
  title: `${title} (torchvision)`,
  inputShape: [3, 224, 224],
  anySize: true,
  batchNorm: true,
  recipe: photos,
  create,
});

/** Layer norm in place of batch norm; images of one size, since the places of patches are parameters. */
const transformer = { batchNorm: false, anySize: false } as const;

const ready: Readonly<Record<string, Omit<NamedModel, 'weights'>>> = {
  efficientnet_b0: entry('EfficientNet B0', ({ numClasses }) => models.efficientnetB0({ numClasses })),
  efficientnet_b1: entry('EfficientNet B1', ({ numClasses }) => models.efficientnetB1({ numClasses })),
  efficientnet_b2: entry('EfficientNet B2', ({ numClasses }) => models.efficientnetB2({ numClasses })),
  efficientnet_b3: entry('EfficientNet B3', ({ numClasses }) => models.efficientnetB3({ numClasses })),
  regnet_y_400mf: entry('RegNetY-400MF', ({ numClasses }) => models.regnetY400mf({ numClasses })),
  regnet_y_800mf: entry('RegNetY-800MF', ({ numClasses }) => models.regnetY800mf({ numClasses })),
  regnet_y_1_6gf: entry('RegNetY-1.6GF', ({ numClasses }) => models.regnetY1_6gf({ numClasses })),
  convnext_tiny: {
    ...entry('ConvNeXt-Tiny', ({ numClasses }) => models.convnextTiny({ numClasses })),
    batchNorm: false,
  },
  regnet_y_3_2gf: entry('RegNetY-3.2GF', ({ numClasses }) => models.regnetY3_2gf({ numClasses })),
  vit_small_patch16_224: {
    ...entry('ViT-S/16', ({ numClasses }, [, imageSize]) => models.vitSmall({ numClasses, imageSize })),
    ...transformer,
    title: 'ViT-S/16 (timm)',
  },
  deit_tiny_patch16_224: {
    ...entry('DeiT-Ti', ({ numClasses }, [, imageSize]) => models.deitTiny({ numClasses, imageSize })),
    ...transformer,
    title: 'DeiT-Ti (timm)',
  },
};

/** Networks that Paddle has not, with the layers of torchvision and timm. Weights come from files. */
export const torchModels: Readonly<Record<string, NamedModel>> = Object.fromEntries(
  Object.entries(ready).map(([name, model]) => [name, { ...model, weights: name }]),
);
