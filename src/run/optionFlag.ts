import type { TrainingOption } from './option.js';
import { type TrainingOptions, trainingOptions } from './trainingOptions.js';

/** The flag of an option on the command line: `--batch-size`. */
export function optionFlag(key: string): string {
  const option: TrainingOption | undefined = Object.hasOwn(trainingOptions, key)
    ? trainingOptions[key as keyof TrainingOptions]
    : undefined;
  return `--${option?.flag ?? key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
