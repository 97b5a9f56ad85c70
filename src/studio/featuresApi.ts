/** Types of the server's answers about features, and about pictures that are tried. */

/** The filters of the first convolution of a run. */
export interface FiltersOfRun {
  readonly layer: string;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Address of a picture, as all `picture` here. */
  readonly picture: string;
}

export interface ChannelsOfLayer {
  readonly name: string;
  readonly channels: number;
  /** Numbers of those that give the same for every image. */
  readonly dead: readonly number[];
}

/** Images placed by their last features. */
export interface FeatureMap {
  readonly classNames: readonly string[];
  /** Share of the variance, with PCA. */
  readonly explained: number | null;
  readonly points: readonly {
    readonly name: string;
    readonly label: number;
    readonly x: number;
    readonly y: number;
  }[];
}

/** The training images that are nearest to another one. */
export interface NearPictures {
  /** Training images among which the neighbours are. */
  readonly searched: number;
  readonly neighbours: readonly {
    readonly name: string;
    readonly class: string;
    readonly distance: number;
    readonly picture: string;
  }[];
}

/** The channels of a layer for an image, side by side. */
export interface LayerMap {
  readonly name: string;
  /** `[1, C, H, W]` */
  readonly shape: readonly number[];
  readonly picture: string;
}

/** An image layer by layer. */
export interface ImageMaps {
  readonly name: string;
  readonly class: string;
  readonly picture: string;
  readonly maps: readonly LayerMap[];
}

/** An image layer by layer, with its nearest training images. */
export type FeaturesOfImage = ImageMaps & NearPictures;

/** An image in a running training, by its newest saved state. */
export interface LiveFeatures {
  /** Epochs that the network has learned; 0 before the first saved state. */
  readonly epoch: number;
  /** Null before the first saved state. */
  readonly image: ImageMaps | null;
  /** Time to wait before the next look, so that the training is not slowed down. */
  readonly nextMs: number;
}

/** The answer of a network for a picture that was tried. */
export interface Answer {
  readonly name: string;
  readonly milliseconds: number;
  /** Changes to the picture; empty if none. */
  readonly note: string;
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
  /** The explained class, and the layer of the map. */
  readonly explained: string;
  readonly layer: string | null;
  readonly picture: string;
  readonly overlay: string;
}
