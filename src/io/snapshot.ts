import { realizeAll } from '../tensor/evaluate.js';
import type { Tensor } from '../tensor/tensor.js';
import type { TensorData } from './formats/tensorData.js';

/** The present contents of tensors. */
export async function snapshot(states: ReadonlyMap<string, Tensor>): Promise<Map<string, TensorData>> {
  const tensors = new Map<string, TensorData>();
  // Lazy tensors are computed in one program.
  await realizeAll([...states.values()]);
  for (const [name, state] of states) {
    tensors.set(name, { shape: state.shape, dtype: state.dtype, data: await state.data() });
  }
  return tensors;
}
