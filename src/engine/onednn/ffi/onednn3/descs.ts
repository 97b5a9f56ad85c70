import { InternalError } from '../../../../errors.js';
import type { StoredDType } from '../../../../graph/dtype.js';
import type { SharedCalls } from '../calls.js';
import type { DescFields, Out } from '../dialect.js';
import { binaries, dataTypes, dtypeOf, formatAny, queries } from '../enums.js';
import { dims } from '../geometry.js';
import type { NativeDesc } from '../nativeDesc.js';
import { check, created } from '../status.js';
import { type Address, system } from '../system.js';
import type { Calls } from './calls.js';
import { descQueries } from './numbers.js';
import { OwnedDesc } from './ownedDesc.js';

/** A null pointer. */
const noDesc: NativeDesc = { argument: 0 };

const kinds = ['opaque', 'any', 'strided'] as const;

/** Descriptors of memory: objects of the library, which is asked for their fields. */
export function descriptors(calls: Calls, { pdQueryMd, pdDestroy }: SharedCalls, engine: Address) {
  const { byTag, byStrides } = calls.descs;
  const destroy = (desc: Address): void => calls.destroy(desc);

  function newDesc(call: (out: Out) => void): NativeDesc {
    const out = new BigUint64Array(1);
    call(out);
    return out[0] === 0n ? noDesc : new OwnedDesc(Number(out[0]), destroy);
  }

  const copyOf = (owned: Address): NativeDesc => newDesc((out) => check(calls.clone(out, owned), 'memory descriptor'));

  function fieldsOf({ argument: desc }: NativeDesc): DescFields {
    const ask = (what: keyof typeof descQueries, out: Int32Array | BigUint64Array) =>
      check(calls.query(desc, descQueries[what], out), `${what} of a memory descriptor`);
    const number = (what: keyof typeof descQueries) => {
      const out = new Int32Array(1);
      ask(what, out);
      return out[0];
    };
    const array = (what: keyof typeof descQueries, length: number) => {
      if (length === 0) return [];
      const place = new BigUint64Array(1);
      ask(what, place);
      const values = new BigInt64Array(length);
      system().memcpy(new Uint8Array(values.buffer), Number(place[0]), values.byteLength);
      return Array.from(values, Number);
    };
    const rank = number('rank');
    const kind = kinds[number('kind')] ?? 'opaque';
    const isStrided = kind === 'strided';
    const count = isStrided ? number('blockCount') : 0;
    const [sizes, axes] = [array('blockSizes', count), array('blockAxes', count)];
    return {
      shape: array('shape', rank),
      dtype: dtypeOf(number('type')),
      kind,
      strides: isStrided ? array('strides', rank) : [],
      blocks: sizes.map((size, i) => ({ size, axis: axes[i] })),
    };
  }

  /**
   * The library has no function for this. But a sum gets the layout of its first operand if its own layout is
   * open, and may have another type.
   */
  function blockedWithType({ argument: desc }: NativeDesc, open: NativeDesc): NativeDesc {
    const operands = [desc, desc, open.argument];
    const sum = created(
      (out) => calls.creators.binary(out, engine, binaries.add, ...operands, 0),
      'sum of two layouts',
    );
    try {
      return copyOf(pdQueryMd(sum, queries.dst, 0));
    } finally {
      pdDestroy(sum);
    }
  }

  function withType(desc: NativeDesc, dtype: StoredDType): NativeDesc {
    const { shape, kind, strides, blocks } = fieldsOf(desc);
    const type = dataTypes[dtype];
    const made = (call: (out: Out) => number) => newDesc((out) => check(call(out), 'memory descriptor'));
    if (kind === 'strided' && blocks.length === 0) {
      return made((out) => byStrides(out, shape.length, dims(shape), type, dims(strides)));
    }
    const open = made((out) => byTag(out, shape.length, dims(shape), type, formatAny));
    if (kind === 'any') return open;
    const changed = blockedWithType(desc, open);
    const fields = fieldsOf(changed);
    const arrangement = (of: Pick<DescFields, 'strides' | 'blocks'>) => JSON.stringify([of.strides, of.blocks]);
    if (arrangement(fields) !== arrangement({ strides, blocks }))
      throw new InternalError(`the layout with elements of ${dtype} differs`);
    return changed;
  }

  return { descs: calls.descs, noDesc, newDesc, copyOf, fieldsOf, withType };
}
