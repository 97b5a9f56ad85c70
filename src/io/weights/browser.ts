import { requireValue, rule } from '../../check.js';
import { fetched } from '../files/fetched.js';
import { decodeSafetensors, encodeSafetensors, type Safetensors, textsByName } from '../formats/safetensors.js';
import { arraysOf, type Named } from '../named.js';

/** A file that the visitor chose, or another blob. */
interface BlobLike {
  arrayBuffer(): Promise<ArrayBuffer>;
}

const someBlob = rule<BlobLike>('an address or a file', (x) => {
  return typeof (x as Partial<BlobLike> | null)?.arrayBuffer === 'function';
});

/**
 * Reads a safetensors file. F32, I32 and U8 keep their type; F64, F16 and BF16 become float32 (F64 rounded),
 * I64 becomes int32.
 *
 * @param source address to fetch, or a file that the visitor chose
 * @throws {FileError} for an address that does not answer, and for bytes that are truncated or not exactly as
 * the format demands
 */
export async function loadSafetensors(source: string | URL | BlobLike): Promise<Safetensors> {
  if (typeof source === 'string' || source instanceof URL) {
    return decodeSafetensors(await fetched('safetensors', source), String(source));
  }
  requireValue('loadSafetensors', 'source', source, someBlob);
  const { name = 'blob' } = source as { readonly name?: string };
  return decodeSafetensors(new Uint8Array(await source.arrayBuffer()), name);
}

/**
 * The file that Node's `saveSafetensors` writes, in pieces for `new Blob(pieces)`. Lazy tensors are computed.
 *
 * @param object a layer, or tensors and arrays by name
 * @throws {InputError} for arrays that do not match their shape or dtype
 */
export async function safetensorsFile(
  object: Named,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array[]> {
  requireValue('safetensorsFile', 'metadata', metadata, textsByName);
  return encodeSafetensors(await arraysOf('safetensorsFile', object, 'file'), metadata);
}
