import { dirname } from 'node:path';
import { Lexer, Parser, parseDocument } from 'yaml';
import { FileError, InputError, messageOf } from '../errors.js';
import { reasonOf } from '../io/files/atomic.js';
import { readInput } from '../io/files/input.js';
import { configurationOf } from '../run/configuration.js';
import type { TrainingOptions } from '../run/trainingOptions.js';
import { decodeText } from '../text/decode.js';

/** Hand-written files are far smaller; larger ones would keep the parser busy for long. */
const maxConfigBytes = 2 ** 16;

/**
 * Reads the configuration of a training: YAML (or JSON) with the options of `fovea train` in camelCase, and
 * some others.
 *
 * @throws {InputError} naming the file and every key that is unknown, with the nearest one, or wrong
 */
export async function readConfiguration(path: string): Promise<TrainingOptions> {
  const value = await readYaml(path);
  requireConfiguration(path, value);
  return configurationOf(value, path);
}

/**
 * Reads a file of YAML or JSON.
 *
 * @throws {FileError} for a file that cannot be read, or is something else
 */
export async function readYaml(path: string): Promise<unknown> {
  const bytes = await readInput(path, maxConfigBytes).catch((error: unknown) => {
    throw new FileError(`[config] ${path}: expected a file of YAML, got ${reasonOf(error)}`, { cause: error });
  });
  const { text } = decodeText(bytes, `[config] ${path}`);
  return parsed(path, text);
}

/** The record of a run has the same file name as many configurations. */
function requireConfiguration(path: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || !('recipe' in value) || !('machine' in value)) return;
  throw new InputError(
    `[config] ${path}: expected a configuration, got the record of a run; repeat that run with --repeat ${dirname(path)}`,
  );
}

/**
 * Most nested lists and mappings in a file. The parser is recursive, so that many more could end the process.
 */
const maxDepth = 100;

function requireShallow(path: string, text: string): void {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // The tokens themselves are not used.
    for (const _ of parser.next(lexeme));
    if (parser.stack.length <= maxDepth) continue;
    throw new FileError(
      `[config] ${path}: expected at most ${maxDepth} lists and mappings within one another, got more; correct the file`,
    );
  }
}

function parsed(path: string, text: string): unknown {
  requireShallow(path, text);
  try {
    const document = parseDocument(text);
    // The parser would print its warnings, about an unknown tag for example, and take a meaning of its own.
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    return document.toJS() ?? {};
  } catch (error) {
    // Unknown aliases, and aliases that repeat themselves without end, are errors of other kinds.
    const [first] = messageOf(error).split('\n');
    throw new FileError(`[config] ${path}: expected YAML, got something else: ${first}`, { cause: error });
  }
}
