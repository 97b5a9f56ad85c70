import { machine } from '#platform';
import { kindOfClass } from './kind.js';

/**
 * Every error that Fovea throws on purpose.
 *
 * A message says where (`[conv2d]`), what was expected, what was found, and what to do. The command line
 * turns {@link InputError} (and all that derive from it) into exit code 2, and everything else into exit code
 * 1.
 */
export class FoveaError extends Error {
  static readonly kind: string = 'FoveaError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = kindOfClass(new.target);
  }
}

/** The caller's input is wrong: a file, an option, a value. Exit code 2 on the command line. */
export class InputError extends FoveaError {
  static override readonly kind: string = 'InputError';
}

/** Shapes that do not fit together, or a size that makes no sense. */
export class ShapeError extends InputError {
  static override readonly kind: string = 'ShapeError';
}

/** An element type that the operation does not take. */
export class DTypeError extends InputError {
  static override readonly kind: string = 'DTypeError';
}

/** A file or folder that is missing, truncated, corrupt or of another kind than expected. */
export class FileError extends InputError {
  static override readonly kind: string = 'FileError';
}

/** Files of a data set that are not on this machine, and that a download would get. */
export class NotDownloadedError extends FileError {
  static override readonly kind: string = 'NotDownloadedError';
}

/**
 * A tensor was read after the data that it would be computed from had been overwritten by a training step.
 */
export class StaleTensorError extends FoveaError {
  static override readonly kind: string = 'StaleTensorError';
}

/**
 * The loss of a step became infinite or no number, so that there is nothing to learn from it; nothing was
 * overwritten.
 */
export class NonFiniteError extends FoveaError {
  static override readonly kind: string = 'NonFiniteError';

  constructor(readonly value: number) {
    super(`[step] loss: expected a finite number, got ${value}; lower the learning rate, or look for bad inputs`);
  }
}

/** @throws {NonFiniteError} if the number is none, or infinite */
export function requireFinite(value: number): void {
  if (!Number.isFinite(value)) throw new NonFiniteError(value);
}

/**
 * Throws if the result of a function that has to end at once is a promise.
 *
 * @param where the function that was called, for the message
 * @param right code that does what was meant
 */
export function refusePromise(where: string, result: unknown, right: string): void {
  if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') return;
  // Its failure would count as unhandled beside the error that is thrown here.
  (result as PromiseLike<unknown>).then(undefined, () => {});
  throw new InputError(
    `[${where}] body: expected a function without await, got a promise: it would end at the first await.\n` +
      `  Wrong: await ${where}(async () => { … await y.data(); });\n  Right: ${right}`,
  );
}

/** More memory is needed than there is. */
export class MemoryError extends InputError {
  static override readonly kind: string = 'MemoryError';
}

export interface InstallableOptions extends ErrorOptions {
  /** Command that installs what is missing. */
  readonly install?: string | undefined;
}

/** An error that a command may fix. Its message ends with the command. */
abstract class InstallableError extends FoveaError {
  /** The message without the command. */
  readonly reason: string;
  /** The command that installs what is missing; `null` if none would help. */
  readonly install: string | null;

  constructor(reason: string, { install, ...options }: InstallableOptions = {}) {
    super(install === undefined ? reason : `${reason}; install it with: ${install}`, options);
    this.reason = reason;
    this.install = install ?? null;
  }
}

/** The compute engine is missing, too old, or refused a call. */
export class EngineError extends InstallableError {
  static override readonly kind: string = 'EngineError';
}

/** A package that only some work needs is missing, or has no binary for this machine. */
export class PackageError extends InstallableError {
  static override readonly kind: string = 'PackageError';
}

/** A broken invariant of Fovea itself; please report it. */
export class InternalError extends FoveaError {
  static override readonly kind: string = 'InternalError';

  constructor(message: string, options?: ErrorOptions) {
    super(`internal: ${message}`, options);
  }
}

/**
 * The error for an optional package that did not load: why, and the command that installs it.
 *
 * @param where the part of Fovea that needs it
 */
export function unloadable(
  Kind: typeof EngineError | typeof PackageError,
  where: string,
  name: string,
  cause: unknown,
): EngineError | PackageError {
  const [line] = messageOf(cause).split('\n');
  const reason =
    `[${where}] ${name}: expected the package with its binary for ${machine}, but it could not ` +
    `be loaded (${line})`;
  return new Kind(reason, { cause, install: `npm install --include=optional ${name}` });
}

/** Text of anything thrown, for messages that wrap a cause. */
export function messageOf(error: unknown): string {
  const missing = missingPackage(error);
  if (missing !== null) return `the package ${missing} is missing; install it with: npm install ${missing}`;
  return error instanceof Error ? error.message : String(error);
}

/** The name of the package that an import did not find; null for other errors, and for missing files. */
function missingPackage(error: unknown): string | null {
  const { code, message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return null;
  return /^Cannot find (?:package|module) '((?:@[\w.-]+\/)?\w[\w.-]*)/.exec(message)?.[1] ?? null;
}
