/**
 * oneDNN's C API through koffi. Only the files of `ffi` use pointers, struct sizes and enum values. The
 * exports are the same for every release; `ffi/dialect.ts` lists all that differs between major versions.
 */
export { args, multipleSrc } from './ffi/enums.js';
export { canExecute, ExecutableMemory } from './ffi/executable.js';
export type { Bfloat16Unit } from './ffi/instructionSets.js';
export {
  bfloat16Unit,
  hasInstructions,
  instructionSet,
  libraryInUse,
  setThreadCount,
} from './ffi/library.js';
export { MemoryHandle, NativeMemory, nativeBytes } from './ffi/memory.js';
export { MemoryDesc } from './ffi/memoryDesc.js';
export {
  type BinaryKernel,
  type ConvAlgorithm,
  type ConvGeometry,
  describe,
  type ForwardProp,
  type NormFlags,
  type Operation,
  type PoolGeometry,
  type Pooling,
} from './ffi/operation.js';
export {
  ArgBlock,
  type Attributes,
  livePrimitives,
  makeExecutor,
  type PostOp,
  Primitive,
  postOpSrc,
} from './ffi/primitive.js';
export { blockSignals, restoreSignals } from './ffi/signals.js';
