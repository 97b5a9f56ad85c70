import * as check from '../../check.js';
import { InputError, ShapeError } from '../../errors.js';
import { formatShape, type Shape } from '../../graph/shape.js';
import { Conv2D, initializer, Layer, LayerNorm, Linear, Sequential } from '../../nn/index.js';
import { attend } from '../../tensor/attention.js';
import { concat } from '../../tensor/combine.js';
import * as F from '../../tensor/functional.js';
import { Parameter } from '../../tensor/state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, type NetworkOptions, networkChecks } from './options.js';

/** Channels and heads. */
const variants = { vit_small: [384, 6], deit_tiny: [192, 3] } as const;
const patch = 16;
const depth = 12;
const norm = (channels: number) => new LayerNorm(channels, { epsilon: 1e-6 });
const weightAttr = { initializer: initializer.normal(0, 0.02) };
const linear = (from: number, to: number) => new Linear(from, to, { weightAttr });

/** A parameter with values of the normal distribution. */
function random(shape: Shape, deviation: number): Parameter {
  return new Parameter(initializer.normal(0, deviation)(shape, { fanIn: 1, fanOut: 1 }), shape);
}

/** A linear layer over the last axis of `[N, T, C]`. */
function overTokens(layer: Linear, x: Tensor): Tensor {
  const [images, tokens, channels] = x.shape;
  return layer.forward(x.reshape([images * tokens, channels])).reshape([images, tokens, -1]);
}

/** Attention of all tokens to one another, with several heads: `[N, T, C]` to `[N, T, C]`. */
class Attention extends Layer {
  static readonly kind: string = 'Attention';

  readonly qkv: Linear;
  readonly proj: Linear;
  readonly #heads: number;

  constructor(channels: number, heads: number) {
    super();
    this.#heads = heads;
    this.qkv = linear(channels, 3 * channels);
    this.proj = linear(channels, channels);
  }

  forward(x: Tensor): Tensor {
    const [images, tokens, channels] = x.shape;
    const size = channels / this.#heads;
    const all = overTokens(this.qkv, x).reshape([images, tokens, 3, this.#heads, size]);
    // One change of the axes for all three, which are then one behind the other.
    const parts = all.transpose([2, 0, 3, 1, 4]);
    const heads = [images, this.#heads, tokens, size];
    const [query, key, value] = [0, 1, 2].map((i) => parts.slice([i, 0, 0, 0, 0], [i + 1, ...heads]).reshape(heads));
    const y = attend(query, key, value).transpose([0, 2, 1, 3]).reshape([images, tokens, channels]);
    return overTokens(this.proj, y);
  }
}

/** Two linear layers with GELU between. */
class Mlp extends Layer {
  static readonly kind: string = 'Mlp';

  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(channels: number) {
    super();
    this.fc1 = linear(channels, 4 * channels);
    this.fc2 = linear(4 * channels, channels);
  }

  forward(x: Tensor): Tensor {
    // GELU right behind the product is a part of it.
    const rows = x.reshape([-1, x.shape[2]]);
    return this.fc2.forward(F.gelu(this.fc1.forward(rows))).reshape(x.shape);
  }
}

/** Attention and two linear layers, each behind a layer norm and added to its input. */
class Block extends Layer {
  static readonly kind: string = 'Block';

  readonly norm1: LayerNorm;
  readonly attn: Attention;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;

  constructor(channels: number, heads: number) {
    super();
    this.norm1 = norm(channels);
    this.attn = new Attention(channels, heads);
    this.norm2 = norm(channels);
    this.mlp = new Mlp(channels);
  }

  forward(x: Tensor): Tensor {
    const y = x.add(this.attn.forward(this.norm1.forward(x)));
    return y.add(this.mlp.forward(this.norm2.forward(y)));
  }
}

/** Tokens of an image: a convolution of the patches, `[N, 3, H, W]` to `[N, T, C]`. */
class PatchEmbed extends Layer {
  static readonly kind: string = 'PatchEmbed';

  readonly proj: Conv2D;

  constructor(channels: number) {
    super();
    this.proj = new Conv2D(3, channels, patch, { stride: patch, weightAttr });
  }

  forward(x: Tensor): Tensor {
    return this.proj.forward(x).flatten({ startAxis: 2 }).transpose([0, 2, 1]);
  }
}

export interface VisionTransformerOptions extends NetworkOptions {
  /** Edge of the images, a multiple of 16; weights of another size do not fit. Default 224. */
  readonly imageSize?: number | undefined;
}

const imageSizes = check.rule<number>(
  `a multiple of ${patch}`,
  (x) => Number.isSafeInteger(x) && (x as number) > 0 && (x as number) % patch === 0,
);

/**
 * ViT-S/16 (Dosovitskiy et al., 2021) and DeiT-Ti (Touvron et al., 2021), with the layers and names of
 * timm: `[N, 3, S, S]` to `[N, numClasses]` for images of one size. Paddle has no such network.
 *
 * @example
 * ```ts
 * const net = new vision.models.VisionTransformer('deit_tiny', { numClasses: 5, imageSize: 32 });
 * const logits = net.forward(randn([2, 3, 32, 32])); // [2, 5]
 * ```
 */
export class VisionTransformer extends Layer {
  static readonly kind: string = 'VisionTransformer';

  readonly cls_token: Parameter;
  readonly pos_embed: Parameter;
  readonly patch_embed: PatchEmbed;
  readonly blocks: Sequential;
  readonly norm: LayerNorm;
  readonly head: Linear | null;
  readonly #imageSize: number;

  /** @throws {InputError} for another variant */
  constructor(variant: keyof typeof variants, options: VisionTransformerOptions = {}) {
    super();
    check.requireOptions('VisionTransformer', options, {
      numClasses: networkChecks.numClasses,
      imageSize: imageSizes,
    });
    const { numClasses = imageNetClasses, imageSize = 224 } = options;
    if (!Object.hasOwn(variants, variant)) {
      throw new InputError(
        `[VisionTransformer] variant: expected ${Object.keys(variants).join(', ')}, got ${check.shown(variant)}`,
      );
    }
    const [channels, heads] = variants[variant];
    this.#imageSize = imageSize;
    this.cls_token = random([1, 1, channels], 1e-6);
    this.pos_embed = random([1, 1 + (imageSize / patch) ** 2, channels], 0.02);
    this.patch_embed = new PatchEmbed(channels);
    this.blocks = new Sequential(...Array.from({ length: depth }, () => new Block(channels, heads)));
    this.norm = norm(channels);
    this.head = hasClassifier('VisionTransformer', numClasses) ? linear(channels, numClasses) : null;
  }

  forward(x: Tensor): Tensor {
    const size = this.#imageSize;
    const [images, ...image] = x.shape;
    if (image.length !== 3 || image[1] !== size || image[2] !== size) {
      throw new ShapeError(
        `[VisionTransformer] input: expected [N, 3, ${size}, ${size}], got ${formatShape(x.shape)}; the places of the ` +
          'patches are parameters, so a network takes one size (imageSize)',
      );
    }
    const [, , channels] = this.cls_token.shape;
    const tokens = concat([this.cls_token.broadcastTo([images, 1, channels]), this.patch_embed.forward(x)], 1);
    const y = this.norm.forward(this.blocks.forward(tokens.add(this.pos_embed)));
    const first = y.slice([0, 0, 0], [images, 1, channels]).reshape([images, channels]);
    return this.head === null ? first : this.head.forward(first);
  }
}
