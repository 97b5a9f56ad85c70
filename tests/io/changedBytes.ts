import type { RandomGenerator } from '../../src/random.js';

/** Changed contents of a file, and the changes in words, so that a case can be repeated by hand. */
export interface Changed {
  readonly bytes: Buffer;
  readonly changes: readonly string[];
}

type Change = (bytes: Buffer, random: RandomGenerator) => readonly [bytes: Buffer, words: string];

/** Headers are short, and most of what may go wrong is in them. */
const headerBytes = 96;

const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\b(?:true|false|null)\b/g;
/** Values that readers of texts may trip over: of another type, out of range, of special meaning. */
const oddValues = [
  ...['0', '-1', '0.5', '1e400', '-0', 'NaN', '2147483648', '4294967296', '9007199254740993', '1'.repeat(40)],
  ...[
    'null',
    'true',
    '""',
    '[]',
    '{}',
    '[[]]',
    '{"a":1}',
    '"__proto__"',
    '"constructor"',
    '"toString"',
    '{"__proto__":1}',
  ],
  ...[
    '"\\u0000"',
    '"../../x"',
    '"/"',
    '"\\ud800"',
    '"\ufeff"',
    '"=1+1"',
    `"${'x'.repeat(5000)}"`,
    '['.repeat(2000),
    '*a',
    '&a [*a]',
  ],
];

function pick<T>(items: readonly T[], random: RandomGenerator): T {
  return items[random.int(items.length)];
}

function place({ length }: Buffer, random: RandomGenerator): number {
  if (length === 0) return 0;
  return random.int(random.int(2) === 0 ? Math.min(length, headerBytes) : length);
}

/** Begin and end of a part, seldom long. */
function part(bytes: Buffer, random: RandomGenerator): readonly [number, number] {
  const begin = place(bytes, random);
  const most = pick([1, 4, 16, 512], random);
  return [begin, Math.min(bytes.length, begin + 1 + random.int(most))];
}

const oneByte: Change = (bytes, random) => {
  if (bytes.length === 0) return [bytes, 'nothing'];
  const at = place(bytes, random);
  const result = Buffer.from(bytes);
  result[at] = pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x22, random.int(256), bytes[at] ^ (1 << random.int(8))], random);
  return [result, `byte ${at} is ${result[at]}`];
};

/** Makes a number of a header large, or of its neighbours. */
const bigNumber: Change = (bytes, random) => {
  const width = pick([2, 4, 8], random);
  if (bytes.length < width) return [bytes, 'nothing'];
  const at = Math.min(place(bytes, random), bytes.length - width);
  const value = pick(
    [0n, 1n, 0x7fn, 0xffffn, 0x7fffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 2n ** 53n, 2n ** 64n - 1n],
    random,
  );
  const result = Buffer.from(bytes);
  const digits = Buffer.alloc(8);
  const isLittle = random.int(2) === 0;
  if (isLittle) digits.writeBigUInt64LE(value);
  else digits.writeBigUInt64BE(value);
  (isLittle ? digits.subarray(0, width) : digits.subarray(8 - width)).copy(result, at);
  return [result, `${width} bytes from ${at} are ${value} (${isLittle ? 'little' : 'big'}-endian)`];
};

const cut: Change = (bytes, random) => {
  const end = random.int(bytes.length + 1);
  return [bytes.subarray(0, end), `cut to ${end} bytes`];
};

const removal: Change = (bytes, random) => {
  const [begin, end] = part(bytes, random);
  return [Buffer.concat([bytes.subarray(0, begin), bytes.subarray(end)]), `without bytes ${begin} to ${end}`];
};

const insertion: Change = (bytes, random) => {
  const at = place(bytes, random);
  const more = Buffer.from(Array.from({ length: 1 + random.int(16) }, () => random.int(256)));
  return [Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]), `${more.toString('hex')} put at ${at}`];
};

const duplication: Change = (bytes, random) => {
  const [begin, end] = part(bytes, random);
  const times = pick([1, 1, 50], random);
  const more = new Array<Buffer>(times).fill(bytes.subarray(begin, end));
  const result = Buffer.concat([bytes.subarray(0, end), ...more, bytes.subarray(end)]);
  return [result, `bytes ${begin} to ${end} ${times} times more`];
};

const swap: Change = (bytes, random) => {
  const [[a, b], [c, d]] = [part(bytes, random), part(bytes, random)].sort(([x], [y]) => x - y);
  if (b > c) return [bytes, 'nothing'];
  const parts = [
    bytes.subarray(0, a),
    bytes.subarray(c, d),
    bytes.subarray(b, c),
    bytes.subarray(a, b),
    bytes.subarray(d),
  ];
  return [Buffer.concat(parts), `bytes ${a} to ${b} and ${c} to ${d} swapped`];
};

/** Puts another value in the place of a number, a word or a string in quotes. */
const oddValue: Change = (bytes, random) => {
  const text = bytes.toString('latin1');
  const found = [...text.matchAll(tokens)];
  if (found.length === 0) return oneByte(bytes, random);
  const { 0: token, index } = pick(found, random);
  const value = Buffer.from(pick(oddValues, random));
  const rest = bytes.subarray(index + token.length);
  return [
    Buffer.concat([bytes.subarray(0, index), value, rest]),
    `${token.slice(0, 40)} at ${index} is ${value.subarray(0, 40)}`,
  ];
};

/** Values within values within values, closed or not. */
const nesting: Change = (bytes, random) => {
  const found = [...bytes.toString('latin1').matchAll(tokens)];
  const { 0: token, index } = found.length === 0 ? { 0: '', index: 0 } : pick(found, random);
  const [open, inside, close] = pick(nestings, random);
  const depth = pick([50, 20_000], random);
  const isClosed = random.int(3) > 0;
  const value = Buffer.from(open.repeat(depth) + (isClosed ? inside + close.repeat(depth) : ''));
  const words = `${open} ${depth} times in the place of ${token.slice(0, 40)} at ${index}${isClosed ? ', closed' : ''}`;
  return [Buffer.concat([bytes.subarray(0, index), value, bytes.subarray(index + token.length)]), words];
};

const nestings = [
  ['[', '1', ']'],
  ['{"a":', '1', '}'],
  ['{"lastEpoch":1,"lastLr":1,"inner":', 'null', '}'],
  ['- ', '1', ''],
  ['<a>', '1', '</a>'],
] as const;

const changes: readonly Change[] = [oneByte, bigNumber, cut, removal, insertion, duplication, swap, oddValue];
const textChanges: readonly Change[] = [
  oneByte,
  cut,
  removal,
  insertion,
  duplication,
  swap,
  oddValue,
  oddValue,
  oddValue,
  nesting,
];

/**
 * Changes a file at one to three places, or joins its beginning with the end of another one.
 *
 * @param isText favours other values over other bytes
 */
export function changedBytes(intact: Buffer, other: Buffer, random: RandomGenerator, isText: boolean): Changed {
  if (random.int(16) === 0) {
    const [end, begin] = [random.int(intact.length + 1), random.int(other.length + 1)];
    const bytes = Buffer.concat([intact.subarray(0, end), other.subarray(begin)]);
    return { bytes, changes: [`${end} bytes, then another file from byte ${begin} on`] };
  }
  let bytes = intact;
  const words: string[] = [];
  for (let i = pick([1, 1, 2, 3], random); i > 0; i--) {
    const [result, change] = pick(isText ? textChanges : changes, random)(bytes, random);
    bytes = result;
    words.push(change);
  }
  return { bytes, changes: words };
}
