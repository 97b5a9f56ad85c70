import { z } from 'zod';
import { InputError } from '../../errors.js';
import { namedModels, usualData } from '../../run/catalog/models.js';
import { describeDefault, type TrainingOption } from '../../run/option.js';
import { optionFlag } from '../../run/optionFlag.js';
import { recipeFor } from '../../run/recipe.js';
import { trainingOptions } from '../../run/trainingOptions.js';
import type { FormOption, ModelChoice, TrainingRequest } from '../api.js';

/** Options that the form has fields of its own for. */
const own = ['model', 'data', 'out'];
/** Options that most trainings change; the others are behind a click. */
const usual = ['epochs', 'batchSize', 'lr', 'optimizer', 'size', 'pretrained', 'seed', 'saveBest', 'earlyStopping'];

/** The options of a training, from the table that the command line and files of YAML have too. */
export function formOptions(): FormOption[] {
  return Object.entries<TrainingOption>(trainingOptions).flatMap(([key, option]): FormOption[] => {
    const { type, help, placeholder } = option;
    if (placeholder === null || own.includes(key)) return [];
    const isFlag = placeholder === '';
    return [
      {
        key,
        flag: optionFlag(key),
        help: option.flagHelp ?? help,
        default: describeDefault(option),
        kind: isFlag ? 'flag' : type instanceof z.ZodNumber ? 'number' : 'text',
        choices: type instanceof z.ZodEnum ? type.options.map(String) : null,
        usual: usual.includes(key),
      },
    ];
  });
}

/** The networks, with the epochs, batch size and rate of their recipes. */
export function modelChoices(): ModelChoice[] {
  return Object.entries(namedModels).map(([name, { title, inputShape }]) => {
    const { classes } = usualData(name);
    const { epochs, batchSize, optimizer } = recipeFor(name, classes);
    const recipe = { epochs, batchSize, lr: optimizer.learningRate, optimizer: optimizer.name };
    return { name, title, inputShape, recipe };
  });
}

/**
 * The arguments of `fovea train` for a request of the page.
 *
 * @throws {InputError} for an unknown network or option; the training checks the values
 */
export function trainArguments({ model, data, out, options }: TrainingRequest): string[] {
  if (!Object.hasOwn(namedModels, model)) throw new InputError(`[studio] model: expected a network, got '${model}'`);
  const given = Object.entries(options).flatMap(([key, value]) => {
    const option = formOptions().find((one) => one.key === key);
    if (option === undefined) throw new InputError(`[studio] options: expected those of a training, got '${key}'`);
    if (value === '') return [];
    if (option.kind === 'flag') return value === 'true' ? [option.flag] : [];
    // One word, so that no value is taken for an option.
    return [`${option.flag}=${value}`];
  });
  return ['train', model, `--data=${data}`, `--out=${out}`, ...given];
}
