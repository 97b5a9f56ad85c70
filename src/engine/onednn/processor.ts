import { allowsCode } from '../../env.js';
import type { UnaryFn } from '../../graph/op.js';
import type { Lanes } from './code/assembler.js';
import { dotProductCost } from './code/dotProduct.js';
import type { FeatureType } from './code/featureLayout.js';
import * as ffi from './ffi.js';
import type { WinogradKernels } from './lower/winograd.js';

// All that rules and lowerings ask about this machine. The answers are those of the library
// (`ONEDNN_MAX_CPU_ISA` can lower them) and of the system, and stay the same for the whole process, but
// for `FOVEA_CODE`.

/**
 * Number of float32 in a vector of the code for features of a type: 16 with AVX-512 (for bfloat16 with its
 * instructions), 8 with AVX2 (for float32). `null` where the library's kernels do the work: on other
 * processors and systems, where there is no GNU OpenMP or no memory may become executable, and with
 * `FOVEA_CODE=0`.
 */
export function codeLanes(type: FeatureType): Lanes | null {
  return allowsCode() ? lanesOf(type) : null;
}

/** The same without a look at `FOVEA_CODE`. */
function lanesOf(type: FeatureType): Lanes | null {
  if (!runsCode()) return null;
  if (ffi.hasInstructions(type === 'float32' ? 'AVX-512' : 'AVX-512 with BF16')) return 16;
  return type === 'float32' && ffi.hasInstructions('AVX2') ? 8 : null;
}

function runsCode(): boolean {
  return process.platform === 'linux' && process.arch === 'x64' && ffi.canExecute();
}

/** An instruction for bfloat16 has twice as many operands, so at this cost it is no faster. */
const slowCost = 2;

/** The unit that multiplies bfloat16; `null` if there is none. */
export function bfloat16Unit(): ffi.Bfloat16Unit | null {
  const unit = ffi.bfloat16Unit();
  if (unit !== 'AVX-512' || !runsCode()) return unit;
  return dotProductCost() >= slowCost ? 'slow AVX-512' : unit;
}

let winograd: boolean | null = null;

/**
 * Whether the library has Winograd's kernels for this processor: releases before 3.2 have them for
 * AVX-512.
 */
function hasWinograd(): boolean {
  if (winograd !== null) return winograd;
  const descs = [ffi.MemoryDesc.any([1, 64, 56, 56]), ffi.MemoryDesc.any([64, 64, 3, 3]), ffi.MemoryDesc.none()];
  const geometry = { stride: [1, 1], dilation: [0, 0], padBefore: [1, 1], padAfter: [1, 1] };
  const opDesc = ffi.describe.convForward('training', 'winograd', [...descs, descs[0]], geometry);
  const primitive = ffi.Primitive.create(opDesc);
  primitive?.destroy();
  winograd = primitive !== null;
  return winograd;
}

/** Winograd's kernels that convolutions use: those of our own code, or the library's; `null` without any. */
export function winogradKernels(): WinogradKernels | null {
  return codeLanes('float32') ?? (hasWinograd() ? 'library' : null);
}

/** The instructions that the library uses, for people. */
export function instructions(): string {
  return process.arch === 'arm64' ? 'ARM64' : ffi.instructionSet();
}

/**
 * Whether the library computes a function inexactly. log has an error of 1e-6 near 1 and is wrong for
 * numbers below 1.2e-38, exp for results below that. Release 3.1 computes gelu with errors of 3e-4 near 5.
 */
export function isInexact(fn: UnaryFn): boolean {
  if (fn !== 'gelu') return fn === 'log' || fn === 'exp';
  const [major, minor] = ffi.libraryInUse().version;
  return major === 3 && minor === 1;
}
