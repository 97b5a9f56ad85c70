import type { Engine, EngineSettings } from './engine.js';
import { openPortable } from './portable/engine.js';
import { ReferenceEngine } from './reference/engine.js';

/** An engine that can be chosen by name. */
export interface EngineEntry {
  readonly name: string;
  /**
   * Opens the engine; called once, when it is first needed.
   *
   * @throws {EngineError} if the engine does not work on this machine
   */
  readonly open: () => Engine;
  /** Settings without a choice, and why. */
  readonly fixed: Readonly<Partial<Record<keyof EngineSettings, string>>>;
  /** Said where the engine stands in for one that did not open. */
  readonly asFallback: string;
}

/** The engines that run everywhere, the preferred one first: `#engines` in browsers. */
export const engines = [
  {
    name: 'portable',
    open: openPortable,
    fixed: {
      precision: 'the portable engine computes in float32',
    },
    asFallback: 'computing with the portable engine, in WebAssembly.',
  },
  {
    name: 'reference',
    open: () => new ReferenceEngine(),
    fixed: {
      threads: 'the reference engine computes on one thread',
      convolution: 'the reference engine has one kind of kernels',
      precision: 'the reference engine computes in float32',
    },
    asFallback: 'computing with the reference engine, which is right but slow.',
  },
] as const satisfies readonly EngineEntry[];

export type EngineName = (typeof engines)[number]['name'];
