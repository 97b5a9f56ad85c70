/**
 * Every error that Fovea throws on purpose.
 *
 * A message says where (`[conv2d]`), what was expected, what was found, and what to do. The command line turns
 * {@link InputError} (and all that derive from it) into exit code 2, and everything else into exit code 1.
 */
export class FoveaError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The caller's input is wrong: a file, an option, a value. Exit code 2 on the command line. */
export class InputError extends FoveaError {}

/** Shapes that do not fit together, or a size that makes no sense. */
export class ShapeError extends InputError {}

/** An element type that the operation does not take. */
export class DTypeError extends InputError {}

/** A file or folder that is missing, truncated, corrupt or of another kind than expected. */
export class FileError extends InputError {}

/** A tensor was read after the data that it would be computed from had been overwritten by a training step. */
export class StaleTensorError extends FoveaError {}

/** The loss of a step became infinite or no number, so that there is nothing to learn from it; nothing was overwritten. */
export class NonFiniteError extends FoveaError {
  constructor(readonly value: number) {
    super(`[step] loss: expected a finite number, got ${value}; lower the learning rate, or look for bad inputs`);
  }
}

/** @throws {NonFiniteError} if the number is none, or infinite */
export function requireFinite(value: number): void {
  if (!Number.isFinite(value)) throw new NonFiniteError(value);
}

/** More memory is needed than there is. */
export class MemoryError extends InputError {}

/** The compute engine is missing, too old, or refused a call. */
export class EngineError extends FoveaError {}

/** A package that only some work needs is missing, or has no binary for this machine. */
export class PackageError extends FoveaError {}

/** A broken invariant of Fovea itself; please report it. */
export class InternalError extends FoveaError {
  constructor(message: string, options?: ErrorOptions) {
    super(`internal: ${message}`, options);
  }
}

/** Says that an optional package did not load, why, and how to install it. */
export function unloadablePackage(name: string, error: unknown): string {
  const [line] = messageOf(error).split('\n');
  return (
    `${name}: expected the package with its binary for ${process.platform} ${process.arch}, but it could not ` +
    `be loaded (${line}); install it with: npm install --include=optional ${name}`
  );
}

/** Text of anything thrown, for messages that wrap a cause. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
