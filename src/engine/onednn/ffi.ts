/**
 * oneDNN's C API (2.x) through koffi. Only the files of `ffi` use pointers, struct sizes and enum values.
 *
 * The C API passes descriptors as structs. Here they are opaque bytes, which the library's own init functions
 * fill. The API is documented at https://oneapi-src.github.io/oneDNN/v2.6/.
 */
export {
  type BinaryKernel,
  type ConvAlgorithm,
  type ConvGeometry,
  describe,
  type ForwardProp,
  type NormFlags,
  type PoolGeometry,
  type Pooling,
} from './ffi/describe.js';
export { args, multipleSrc, postOpSrc } from './ffi/enums.js';
export { canExecute, ExecutableMemory } from './ffi/executable.js';
export {
  type Bfloat16Unit,
  bfloat16Unit,
  hasInstructions,
  instructionSet,
  libraryInUse,
  setThreadCount,
} from './ffi/library.js';
export { MemoryHandle, NativeMemory, nativeBytes } from './ffi/memory.js';
export { MemoryDesc } from './ffi/memoryDesc.js';
export { ArgBlock, type Attributes, livePrimitives, makeExecutor, type PostOp, Primitive } from './ffi/primitive.js';
export { blockSignals, restoreSignals } from './ffi/signals.js';
