/** Messages between the page and the worker that trains. */

export const optimizers = ['momentum', 'sgd', 'adam', 'adamw'] as const;

export interface Settings {
  readonly optimizer: (typeof optimizers)[number];
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
}

/** A value at a step. */
export type Point = readonly [step: number, value: number];

/** Everything that the curves show. */
export interface Curves {
  /** Mean loss of the steps since the point before. */
  readonly loss: Point[];
  /** Accuracy on the first test images. */
  readonly quick: Point[];
  /** Accuracy on all test images. */
  readonly full: Point[];
}

export type Request =
  | { readonly kind: 'open'; readonly data: string }
  | { readonly kind: 'train' | 'pause' | 'weights' }
  | { readonly kind: 'restart'; readonly settings: Settings }
  | { readonly kind: 'rate'; readonly learningRate: number }
  /** Null: there is no digit any more. */
  | { readonly kind: 'digit'; readonly picture: Blob | ImageBitmap | ImageData | null }
  | { readonly kind: 'example' };

export interface Ready {
  readonly kind: 'ready';
  readonly engine: string;
  readonly trainImages: number;
  readonly testImages: number;
  /** Test images of the line of the accuracy. */
  readonly quickImages: number;
  /** The settings of the training that continues; null for a new one. */
  readonly settings: Settings | null;
  readonly curves: Curves;
  readonly step: number;
  readonly isDone: boolean;
}

export interface Progress {
  readonly kind: 'progress';
  readonly step: number;
  readonly epoch: number;
  readonly epochs: number;
  /** Images of this epoch that are done, and all. */
  readonly images: number;
  readonly epochImages: number;
  readonly imagesPerSecond: number;
}

export interface Maps {
  readonly kind: 'maps';
  /** 28×28, and the maps one after the other: 6 of 24×24, 16 of 8×8. */
  readonly input: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly probabilities: Float32Array;
  readonly note: string;
}

export type Answer =
  | { readonly kind: 'loading'; readonly received: number; readonly total: number }
  | Ready
  | Progress
  | Maps
  | { readonly kind: 'point'; readonly curve: keyof Curves; readonly point: Point }
  | { readonly kind: 'state'; readonly state: 'training' | 'paused' | 'done' | 'new' }
  | { readonly kind: 'weights'; readonly file: Blob; readonly accuracy: number; readonly images: number }
  | { readonly kind: 'saved' }
  /** A picture that is no digit, or a page that cannot save: the training continues. */
  | { readonly kind: 'note'; readonly about: 'picture' | 'saving'; readonly message: string }
  | { readonly kind: 'problem'; readonly message: string };
