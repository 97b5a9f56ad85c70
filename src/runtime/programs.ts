import type { Graph } from '../compiler/graph.js';
import type { Engine, Program } from '../engine/engine.js';
import { machineMemory } from '../memory.js';

/** A program in the cache, and what it was compiled for. */
export interface CompiledGraph {
  /** As captured: what the cache compares with. */
  readonly structure: Graph;
  /** {@link Engine.settingsKey} that the program was compiled with. */
  readonly settings: string;
  readonly program: Program;
  /** Whether there was memory for it. */
  admitted: boolean;
}

/**
 * The library does not report the memory of its kernels. Beyond this many programs the one unused for longest
 * is dropped.
 */
const mostPrograms = 64;

/**
 * Share of the memory of this machine (or container) that programs may keep from run to run, and its limit.
 */
const [share, mostBytes] = [1 / 4, 2 * 2 ** 30];

/**
 * Programs of one engine, the one used last at the end. Programs keep weights in layouts and types of their
 * own; therefore the cache has a limit in bytes. The program used last stays in any case.
 */
export class ProgramCache {
  readonly #programs: CompiledGraph[] = [];

  /** @param limit bytes that the programs may keep together */
  constructor(
    readonly engine: Engine,
    public limit = Math.min(mostBytes, share * machineMemory()),
  ) {}

  get size(): number {
    return this.#programs.length;
  }

  /** Bytes that the programs keep between runs. */
  get bytes(): number {
    return this.#programs.reduce((sum, { program }) => sum + program.keptBytes, 0);
  }

  /** The program that fits, which then counts as used. */
  find(settings: string, fits: (structure: Graph) => boolean): CompiledGraph | null {
    for (let i = this.#programs.length - 1; i >= 0; i--) {
      const compiled = this.#programs[i];
      if (compiled.settings !== settings || !fits(compiled.structure)) continue;
      if (i !== this.#programs.length - 1) {
        this.#programs.splice(i, 1);
        this.#programs.push(compiled);
      }
      return compiled;
    }
    return null;
  }

  add(compiled: CompiledGraph): void {
    this.#programs.push(compiled);
    this.trim();
  }

  /** Disposes of one program. */
  drop(compiled: CompiledGraph): void {
    this.#programs.splice(this.#programs.indexOf(compiled), 1);
    compiled.program.dispose();
  }

  /** Disposes of programs, the one unused for longest first, until those left keep no more than `bytes`. */
  trim(bytes = this.limit): void {
    let kept = this.bytes;
    let isTrimmed = false;
    while (this.#programs.length > 1 && (this.#programs.length > mostPrograms || kept > bytes)) {
      const { program } = this.#programs.shift() as CompiledGraph;
      kept -= program.keptBytes;
      program.dispose();
      isTrimmed = true;
    }
    if (isTrimmed) this.engine.shrink?.(Math.max(...this.#programs.map(({ program }) => program.arenaBytes)));
  }

  /** Disposes of all programs. */
  clear(): void {
    for (const { program } of this.#programs.splice(0)) program.dispose();
    this.engine.shrink?.(0);
  }
}
