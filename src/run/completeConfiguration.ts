import { engineInfo, fixedSetting } from '../engine/select.js';
import { dataFor, findData, namedDataset } from './catalog/datasets.js';
import { namedModel } from './catalog/models.js';
import { requireMeaning } from './dataOptions.js';
import { describeDefault, type TrainingChoices, type TrainingOption } from './option.js';
import { recipeFor } from './recipe.js';
import { imageLoadingOf, runOptionsOf } from './runOptionsOf.js';
import { type TrainingOptions, trainingOptions } from './trainingOptions.js';

/** An option of a training with its value. */
interface ConfiguredOption {
  readonly key: string;
  /** As a configuration has it; undefined for an option that is not used, or decided by the data. */
  readonly value: unknown;
  /** Default in words. */
  readonly usual: string;
}

/**
 * All options of a training, in the order of the guide, with the values that are used. The data are not
 * opened.
 *
 * @param model name of the network
 * @throws {InputError} for unknown names, and options without effect, as far as they show without the data
 */
export function completeConfiguration(model: string, options: TrainingOptions): ConfiguredOption[] {
  const choices = choicesOf(model, options);
  const given: Readonly<Record<string, unknown>> = { ...options, model };
  return Object.entries<TrainingOption>(trainingOptions).map(([key, option]) => {
    const value = given[key];
    const written = value === undefined ? usualValue(option, choices) : (option.write?.(value) ?? value);
    return { key, value: written ?? undefined, usual: describeDefault(option) };
  });
}

function usualValue({ usual }: TrainingOption, choices: TrainingChoices): unknown {
  return typeof usual === 'function' ? usual(choices) : usual;
}

function choicesOf(model: string, options: TrainingOptions): TrainingChoices {
  const { inputShape, recipe: usual } = namedModel(model);
  const { data = dataFor(model) } = options;
  const { name } = findData(data);
  const kind = namedDataset(name);
  const { changes = {}, ...asked } = runOptionsOf(options, { model, data, out: '' });
  requireMeaning(findData(data), kind, { ...asked, imageLoading: imageLoadingOf(options) });
  // The number of classes changes the loss alone.
  const recipe = recipeFor(model, usual.data.classes, changes);
  const [channels, height, width] = inputShape;
  const isGrey = channels === 1 || options.transforms?.some((spec) => 'Grayscale' in spec) === true;
  const { name: engine, precision, convolution } = engineInfo();
  return {
    data,
    recipe,
    isPhotographs: kind.isPhotographs,
    images:
      kind.isPhotographs && options.pretrained === undefined
        ? { size: [height, width], order: isGrey ? undefined : (kind.order ?? 'RGB') }
        : null,
    engine: { name: engine, precision, ...(fixedSetting(engine, 'convolution') === null && { convolution }) },
  };
}
