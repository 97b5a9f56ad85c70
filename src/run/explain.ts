import { type FileError, InputError } from '../errors.js';
import type { Layer } from '../nn/layer.js';
import type { Tensor } from '../tensor/tensor.js';
import { nearestName } from '../text/suggest.js';
import { explain } from '../vision/index.js';
import { answeredPictures } from './answeredPictures.js';
import { namedModel } from './catalog/models.js';
import type { TrainedRun } from './evaluate.js';
import { type ExplainMethod, explainMethods } from './explainMethods.js';
import { orderOf } from './inputPipeline.js';
import { type PictureInput, probabilitiesUnder } from './predict.js';

export interface ExplainPicturesOptions {
  /** Default `gradcam`. */
  readonly method?: ExplainMethod | undefined;
  /** Layer of the class activation maps. Default: the last one with features of several places. */
  readonly layer?: string | undefined;
  /** Name of the class to explain. Default: the predicted one. */
  readonly class?: string | undefined;
  /** Name of a class to explain it against. */
  readonly against?: string | undefined;
  /** Edge of the patch of occlusion, in pixels. Default: a seventh of the shorter edge. */
  readonly patch?: number | undefined;
  /** Steps of integrated gradients (50). */
  readonly steps?: number | undefined;
  /** Whether to test each map as well. Default false. */
  readonly check?: boolean | undefined;
  /** The same network trained with another seed: the check compares the maps of both. */
  readonly other?: TrainedRun | undefined;
}

/** The test of a map. */
export interface ExplanationCheck {
  /** Similarity to the maps of the network with its last layers randomized. */
  readonly randomized: readonly explain.RandomizedMap[];
  readonly perturbations: explain.Perturbations;
  /** Rank correlation with the map of another training; null without one. */
  readonly agreement: number | null;
  /** Whether the map passes each test. */
  readonly passes: { readonly randomized: boolean; readonly deletion: boolean; readonly insertion: boolean };
  /** The result in words. */
  readonly verdict: string;
}

/** The explanation of a picture. */
export interface Explanation {
  readonly file: string;
  readonly class: string;
  readonly against: string | null;
  /** Class that the network predicts, by its logits. */
  readonly predicted: string;
  /** Probability of the explained class. */
  readonly probability: number;
  /** The logit that is explained, or the difference of two. */
  readonly score: number;
  readonly method: ExplainMethod;
  /** The layer of a class activation map. */
  readonly layer: string | null;
  /** Row by row, of the size of the network's input. */
  readonly map: Float32Array;
  /** The picture as the network sees it, from 0 to 1: grey, or red, green and blue. `[C, H, W]` */
  readonly image: Float32Array;
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly check: ExplanationCheck | null;
}

/** A picture that could not be read. */
export interface Unexplained {
  readonly file: string;
  readonly error: FileError;
}

/**
 * Rank correlation with a randomized network from which on a map counts as one that does not depend on the
 * weights.
 */
const mostCorrelation = 0.5;

/**
 * Explains the decisions of a trained network for pictures.
 *
 * @throws {InputError} for an unknown method, class or layer
 */
export async function* explainPictures(
  run: TrainedRun,
  pictures: readonly PictureInput[],
  options: ExplainPicturesOptions = {},
): AsyncGenerator<Explanation | Unexplained> {
  const { config } = run.folder;
  const { classNames } = config.data;
  const { inputShape } = config.model;
  const method = options.method ?? 'gradcam';
  if (!explainMethods.includes(method)) {
    throw new InputError(`[explain] method: expected ${explainMethods.join(', ')}, got '${method}'`);
  }
  const asked = classNumber(classNames, options.class, 'class');
  const against = classNumber(classNames, options.against, 'against');
  if (against !== null && against === asked) {
    throw new InputError(`[explain] against: expected another class than ${options.class}, got the same`);
  }
  const layer = isCam(method) ? (options.layer ?? usualLayer(run)) : null;
  if (layer === null && options.layer !== undefined) {
    throw new InputError(`[explain] layer: expected with class activation maps only, got it with ${method}`);
  }
  if (options.other !== undefined) requireSameNetwork(run, options.other);
  for await (const answered of answeredPictures('explain', run, pictures)) {
    if ('error' in answered) {
      yield answered;
      continue;
    }
    const { file, read, image, logits, probabilities, predicted } = answered;
    const wanted = asked ?? predicted;
    const explained = { class: wanted, ...(against !== null && against !== wanted && { against }) };
    const mapOf = (network: Layer) => mapFor(network, image, { ...options, method, layer, explained });
    const map = await mapOf(run.network);
    yield {
      file,
      class: classNames[wanted],
      against: 'against' in explained && explained.against !== undefined ? classNames[explained.against] : null,
      predicted: classNames[predicted],
      probability: probabilities[wanted],
      score: await explain.scoreOf(logits, explained).item(),
      method,
      layer,
      map,
      image: shownImage(read, config),
      shape: [inputShape[0], inputShape[1], inputShape[2]],
      check: options.check ? await checkOf(run, image, map, { mapOf, wanted, other: options.other }) : null,
    };
  }
}

const isCam = (method: ExplainMethod): method is explain.CamMethod =>
  method === 'gradcam' || method === 'hirescam' || method === 'layercam';

function classNumber(classNames: readonly string[], name: string | undefined, where: string): number | null {
  if (name === undefined) return null;
  const number = classNames.indexOf(name);
  if (number >= 0) return number;
  const nearest = nearestName(name, classNames);
  throw new InputError(
    `[explain] ${where}: expected ${classNames.join(', ')}, got '${name}'${nearest === null ? '' : `; did you mean '${nearest}'?`}`,
  );
}

/** @throws {InputError} for a network without features of several places */
function usualLayer({ network, folder }: TrainedRun): string {
  const { name, inputShape } = folder.config.model;
  const layer = namedModel(name).mapLayer ?? explain.lastMapLayer(network, [1, ...inputShape]);
  if (layer !== null) return layer;
  throw new InputError(`[explain] ${name}: expected a layer with features of several places, got none; use occlusion`);
}

function requireSameNetwork(run: TrainedRun, other: TrainedRun): void {
  const [a, b] = [run, other].map(({ folder: { config } }) => ({ ...config.model, pretrained: null }));
  const [x, y] = [run, other].map(({ folder: { config } }) => config.data.classNames);
  if (JSON.stringify(a) === JSON.stringify(b) && JSON.stringify(x) === JSON.stringify(y)) return;
  throw new InputError(
    `[explain] ${other.folder.path}: expected the network and the classes of ${run.folder.path}, got ${b.name} for ` +
      `${y.join(', ')}; give a training that differs in its seed alone`,
  );
}

interface MapRequest {
  readonly method: ExplainMethod;
  readonly layer: string | null;
  readonly explained: explain.ExplainedClass;
  readonly patch?: number | undefined;
  readonly steps?: number | undefined;
}

/** The map of one image, at its size. */
async function mapFor(network: Layer, image: Tensor, request: MapRequest): Promise<Float32Array> {
  const { method, layer, explained, steps } = request;
  const [, channels, height, width] = image.shape;
  if (method === 'occlusion') {
    const patch = request.patch ?? Math.max(1, Math.round(Math.min(height, width) / 7));
    return (await explain.occlusion(network, image, { ...explained, patch })).values;
  }
  if (method === 'integrated-gradients') {
    const { values } = await explain.integratedGradients(network, image, { ...explained, steps });
    const places = height * width;
    return Float32Array.from({ length: places }, (_, i) => {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += values[c * places + i];
      return sum;
    });
  }
  const options = { ...explained, method, layer: layer as string };
  return explain.resizeMaps(await explain.classActivation(network, image, options), [height, width]).values;
}

/** The pixels of a picture, or what transforms made of them, stretched to 0…1. */
export function shownImage(
  { pixels, image }: { readonly pixels: Uint8Array; readonly image: Float32Array },
  config: TrainedRun['folder']['config'],
) {
  const isStored = pixels.length === image.length;
  const source = isStored ? pixels : image;
  let [low, high] = isStored ? [0, 255] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  if (!isStored) for (const value of source) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const [channels] = config.model.inputShape;
  const plane = source.length / channels;
  const isTurned = channels === 3 && orderOf(config.data) === 'BGR';
  return Float32Array.from({ length: source.length }, (_, i) => {
    const channel = Math.floor(i / plane);
    const at = isTurned ? (2 - channel) * plane + (i % plane) : i;
    return high > low ? (source[at] - low) / (high - low) : 0;
  });
}

async function checkOf(
  run: TrainedRun,
  image: Tensor,
  map: Float32Array,
  {
    mapOf,
    wanted,
    other,
  }: { readonly mapOf: explain.MapMaker; readonly wanted: number; readonly other: TrainedRun | undefined },
): Promise<ExplanationCheck> {
  const { model } = run.folder.config;
  const copy = namedModel(model.name).create(model.options, model.inputShape).eval();
  const copied = copy.stateDict();
  for (const [name, state] of run.network.stateDict()) copied.get(name)?.load(await state.data());
  const randomized = await explain.cascade(copy, mapOf);
  const perturbations = await explain.perturb(image, map, (images) =>
    probabilitiesUnder(run.folder.config, run.network.forward(images))
      .slice([0, wanted], [images.shape[0], wanted + 1])
      .reshape([-1]),
  );
  const agreement = other === undefined ? null : explain.rankCorrelation(map, await mapOf(other.network));
  const { deletion, insertion } = perturbations;
  const passes = {
    randomized: Math.abs(randomized.at(-1)?.correlation ?? 1) < mostCorrelation,
    deletion: deletion.map < Math.min(deletion.random, deletion.centre),
    insertion: insertion.map > Math.max(insertion.random, insertion.centre),
  };
  return { randomized, perturbations, agreement, passes, verdict: verdictOf(passes, agreement) };
}

function verdictOf(passes: ExplanationCheck['passes'], agreement: number | null): string {
  const good = [
    ...(passes.randomized ? ['it depends on the weights'] : []),
    ...(passes.deletion ? ['covering its places lowers the probability more than covering others'] : []),
    ...(passes.insertion ? ['its places alone raise the probability more than others'] : []),
  ];
  const bad = [
    ...(passes.randomized ? [] : ['a network with random weights has a similar map']),
    ...(passes.deletion ? [] : ['covering other places lowers the probability as much']),
    ...(passes.insertion ? [] : ['other places raise the probability as much']),
    ...(agreement !== null && agreement < mostCorrelation ? ['another training gives another map'] : []),
  ];
  if (bad.length === 0) return `The map passes: ${good.join('; ')}.`;
  return `Do not trust the map: ${bad.join('; ')}.${good.length === 0 ? '' : ` Yet ${good.join('; ')}.`}`;
}
