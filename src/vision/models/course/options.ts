import { InputError } from '../../../errors.js';

/** Options that every network of the course takes. */
export interface ClassifierOptions {
  /** Number of logits: one for each class, or 1 to tell two classes apart by a sigmoid. */
  readonly numClasses: number;
}

/** @throws {InputError} for a number of classes that is missing or none */
export function requireClasses(network: string, options: ClassifierOptions | undefined): number {
  const numClasses = options?.numClasses;
  if (numClasses === undefined || !Number.isInteger(numClasses) || numClasses < 1) {
    throw new InputError(
      `[${network}] numClasses: expected an integer of at least 1, got ${numClasses}; ` +
        `name it: new vision.models.course.${network}({ numClasses: 10 })`,
    );
  }
  return numClasses;
}
