import { shown } from '../../../check.js';
import { InputError } from '../../../errors.js';

/** Options of every network of the course. */
export interface ClassifierOptions {
  /** Number of logits: one for each class, or 1 to distinguish two classes by a sigmoid. */
  readonly numClasses: number;
}

/** @throws {InputError} for a missing or invalid number of classes */
export function requireClasses(network: string, options: ClassifierOptions | undefined): number {
  const numClasses = options?.numClasses;
  if (numClasses === undefined || !Number.isInteger(numClasses) || numClasses < 1) {
    throw new InputError(
      `[${network}] numClasses: expected an integer of at least 1, got ${shown(numClasses)}; ` +
        `name it: new vision.models.course.${network}({ numClasses: 10 })`,
    );
  }
  return numClasses;
}
