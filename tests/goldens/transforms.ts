import { readFileSync } from 'node:fs';

/** An image that make_transforms.py makes by a formula. */
export type MadeImage = readonly [kind: 'noise' | 'smooth', height: number, width: number, channels: number];

/** A call of one of Paddle's functions, and what came out, in base64. */
export interface TransformCase {
  readonly name: string;
  readonly image: MadeImage;
  readonly arguments: readonly unknown[];
  readonly shape: readonly [number, number, number];
  readonly uint8?: string;
  readonly float32?: string;
}

/** The output of transforms/make_transforms.py. */
export const goldenTransforms: {
  readonly cases: readonly TransformCase[];
  /** Names and defaults, if there are any, of the parameters of Paddle's constructors. */
  readonly parameters: Readonly<Record<string, readonly (readonly unknown[])[]>>;
} = JSON.parse(readFileSync(new URL('./transforms/transforms.json', import.meta.url), 'utf8'));
