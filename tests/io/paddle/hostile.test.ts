import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/errors.js';
import { parsePickle } from '../../../src/io/formats/paddle/pickle.js';
import { readPdparams } from '../../../src/io/weights/pdparams.js';
import { loadPickle } from '../../../src/io/weights/pickle.js';
import { RandomGenerator } from '../../../src/random.js';
import { temporaryFolder } from '../../temporary.js';
import { files } from './files.js';

/** Operations, text as it stands. */
const bytesOf = (...parts: (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(typeof part === 'number' ? [part] : part),
    ),
  );
/** A pickle of protocol 4, ended. */
const file = (...parts: (number | string | Uint8Array)[]) => bytesOf(0x80, 4, ...parts, '.');
const int = (value: number) => bytesOf(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 255));
const long = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
/** SHORT_BINUNICODE */
const text = (content: string) => bytesOf(0x8c, content.length, content);
const global = (module: string, name: string) => `c${module}\n${name}\n`;
const stackGlobal = (module: string, name: string) => bytesOf(text(module), text(name), 0x93);

const reconstruct = bytesOf(
  global('numpy.core.multiarray', '_reconstruct'),
  global('numpy', 'ndarray'),
  'K\0\x85C\x01b\x87R',
);
const dtype = (code: string, order = '<') =>
  bytesOf(
    global('numpy', 'dtype'),
    text(code),
    '\x89\x88\x87R(K\x03',
    text(order),
    'NNNJ',
    int(-1),
    'J',
    int(-1),
    'K\0tb',
  );
/** An array of one axis, with as many bytes as it likes. */
const array = (length: number, contents: Uint8Array, type = dtype('f4')) =>
  bytesOf(reconstruct, '(K\x01J', int(length), 0x85, type, '\x89C', contents.length, contents, 'tb');

const folder = temporaryFolder();
const parse = (bytes: Uint8Array) => parsePickle(new Uint8Array(bytes), 'FILE');

describe('a hostile file is refused', () => {
  const cases: readonly (readonly [what: string, bytes: Uint8Array, message: string])[] = [
    [
      'os.system, by REDUCE',
      file(global('os', 'system'), '(', text('id'), 'tR'),
      'a call of os.system at byte 2; the file is not loaded',
    ],
    [
      'os.system, protocol 4',
      file(stackGlobal('os', 'system'), text('id'), 0x85, 'R'),
      'a call of os.system at byte 14',
    ],
    ['builtins.eval', file(stackGlobal('builtins', 'eval'), text('1'), 0x85, 'R'), 'a call of builtins.eval'],
    ['builtins.getattr', file(global('__builtin__', 'getattr'), 'N.'), 'a call of __builtin__.getattr'],
    [
      'a function of NumPy that runs others',
      file(stackGlobal('numpy.testing', 'rundocs')),
      'a call of numpy.testing.rundocs',
    ],
    ['a class to build', file(stackGlobal('subprocess', 'Popen'), ')', 0x81), 'a call of subprocess.Popen'],
    ['names that steer a terminal', file(global('o\x1b[2Js', 'x\ry')), 'a call of o?[2Js.x?y'],
    ['INST', file('(', text('id'), 'ios\nsystem\n'), 'a call of os.system'],
    ['OBJ', file('(', global('collections', 'OrderedDict'), 'o'), 'an instance of a class (OBJ)'],
    ['NEWOBJ', file(global('collections', 'OrderedDict'), ')', 0x81), 'an instance of a class (NEWOBJ)'],
    ['NEWOBJ_EX', file(global('numpy', 'ndarray'), ')}', 0x92), 'an instance of a class (NEWOBJ_EX)'],
    ['a call of an allowed class', file(global('numpy', 'ndarray'), ')R'), 'a call of numpy.ndarray'],
    [
      'a class as an array',
      file(global('numpy.core.multiarray', '_reconstruct'), global('collections', 'OrderedDict'), 'K\0\x85C\x01b\x87R'),
      'expected an array (numpy.ndarray), got the function collections.OrderedDict',
    ],
    ['BUILD with attributes of a dict', file('}', '}', text('__class__'), 'Nsb'), 'a state for a dict (BUILD)'],
    ['BUILD of a list', file(']}b'), 'a state for a list (BUILD)'],
    [
      'a second state for an array',
      file(array(1, Buffer.alloc(4)), '(K\x01K\x02\x85', dtype('f4'), '\x89C\x08', Buffer.alloc(8), 'tb'),
      'a second one',
    ],
    ['an array of objects', file(array(1, Buffer.alloc(8), dtype('O8', '|'))), "elements of 'O8'"],
    [
      'a structure',
      file(
        reconstruct,
        '(K\x01K\x01\x85',
        global('numpy', 'dtype'),
        text('f4'),
        '\x89\x88\x87R(K\x03',
        text('<'),
        'N(',
        text('a'),
        't}K\0K\0K\0tb',
      ),
      'a structure',
    ],
    [
      'big-endian numbers',
      file(array(1, Buffer.alloc(4), dtype('f4', '>'))),
      "expected a little-endian dtype, got '>'",
    ],
    [
      'fewer bytes than the shape says',
      file(array(2, Buffer.alloc(4))),
      'expected an array [2] of 4 bytes an element, got 4 bytes',
    ],
    ['a negative size', file(array(-1, Buffer.alloc(4))), 'expected a shape, got a tuple'],
    ['an array without contents', file(reconstruct), 'one without contents'],
    ['a function as a value', file('}', text('w'), global('numpy', 'ndarray'), 's'), 'the function numpy.ndarray'],
    ['a persistent id', file('Pid\n'), 'a persistent id (PERSID)'],
    ['a persistent id of protocol 1', file('NQ'), 'a persistent id (BINPERSID)'],
    ['EXT1', file(0x82, 1), 'an extension code (EXT1)'],
    ['EXT2', file(0x83, 1, 0), 'an extension code (EXT2)'],
    ['EXT4', file(0x84, int(1)), 'an extension code (EXT4)'],
    ['a set', file(0x8f), 'a set (EMPTY_SET)'],
    ['a buffer outside', file(0x97), 'a buffer outside the file (NEXT_BUFFER)'],
    [
      'another encoding',
      file(global('_codecs', 'encode'), text('x'), text('rot13'), 0x86, 'R'),
      "expected latin1, got 'rot13'",
    ],
    ['protocol 0', file('I1\n'), 'text of protocol 0 (INT)'],
    ['no operation', file(0xff), '0xff, which is no operation'],
    ['a later protocol', bytesOf(0x80, 6, 'N.'), 'expected protocol 2 to 5, got protocol 6'],
    ['text', Buffer.from('PK\x03\x04'), 'expected a pickle of protocol 2 to 5'],
    ['nothing', Buffer.alloc(0), 'expected a pickle of protocol 2 to 5'],
    ['2^60 bytes', file(0x8e, long(2n ** 60n)), 'bytes from byte 11 on, got 1; the file is truncated'],
    ['2^60 characters', file(0x8d, long(2n ** 60n)), 'the file is truncated'],
    ['a frame of 2^63 bytes', file(0x95, long(2n ** 63n)), 'the file is truncated'],
    ['4 GiB of text', file('X', int(-1)), 'expected 4294967295 bytes from byte 7 on, got 1'],
    [
      'an integer of a megabyte',
      file(0x8b, int(2 ** 20), Buffer.alloc(2 ** 20)),
      'expected integers of at most 1024 bytes',
    ],
    ['a name without an end', file('c', 'a'.repeat(2000)), 'the file is truncated or damaged'],
    [
      'an array of 2^60 elements',
      file(reconstruct, '(K\x01', 0x8a, 8, long(2n ** 60n), 0x85, dtype('f4'), '\x89C\0tb'),
      'expected a shape',
    ],
    ['a list that nests a million times', file(']'.repeat(1_000_000)), 'at most 100000 values under way'],
    ['a million marks', file('('.repeat(1_000_000)), 'at most 100000 marks'],
    ['operations without end', file('N', '0N'.repeat(2_500_000)), 'at most 5000000 operations'],
    [
      'text that becomes bytes again and again',
      file(
        'X',
        int(60_000),
        'a'.repeat(60_000),
        '\x940',
        global('_codecs', 'encode'),
        '\x940',
        ...Array.from({ length: 10 }, () => bytesOf('h\x01h\0', text('latin1'), 0x86, 'R0')),
        'N',
      ),
      'the same data again and again',
    ],
    [
      'a list copied again and again',
      file(
        '(',
        'N'.repeat(5000),
        'l\x940',
        global('builtins', 'tuple'),
        '\x940',
        ...Array.from({ length: 10 }, () => bytesOf('h\x01h\0', 0x85, 'R0')),
        'N',
      ),
      'the same data again and again',
    ],
    ['an object that was never kept', file('h\x07'), 'number 7, which was not'],
    ['an empty stack', file(), 'expected 1 values on the stack, got 0'],
    ['a mark that is missing', file('t'), 'expected a mark on the stack'],
    ['values below a mark', file('N(', 0x85), 'expected 1 values on the stack, got 0'],
    ['a tuple that grows', file(')Na'), 'expected a list to append to, got a tuple'],
    ['items for a list', file(']NNs'), 'expected a dict to put entries in, got a list'],
    ['a key without a value', file('}(Nu'), 'a key without'],
    ['a list as a key', file('}]Ns'), 'expected text or a number as a key, got a list'],
    ['several values', file('NN'), 'expected one value in all'],
    ['a second protocol', file(0x80, 4, 'N'), 'no operation'],
    ['broken UTF-8', file(0x8c, 1, 0xff), 'expected text in UTF-8'],
    ['a long text', file('X', int(70_000), 'a'.repeat(70_000)), 'a text of more than 64 KiB'],
    ['bytes behind the end', bytesOf(file('N'), 0), 'expected the end of the file after the pickle, got 1 more bytes'],
  ];

  it.each(cases)('%s', (_, bytes, message) => {
    let error: unknown;
    try {
      parse(bytes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).message).toContain(message);
  });
});

describe('a damaged file', () => {
  const originals = ['protocol2.pdparams', 'adam.pdopt', 'types5.pdparams', 'split.pdparams'].map(
    (name) => [name, readFileSync(join(files, name))] as const,
  );

  it.each(originals)('is refused wherever it is cut: %s', (_, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parse(bytes.subarray(0, length)), `${length} bytes`).toThrow(FileError);
    }
  });

  it.each(originals)('gives data or a FileError, never anything else: %s', async (name, bytes) => {
    const path = join(folder, name);
    const generator = new RandomGenerator(1);
    for (let i = 0; i < 300; i++) {
      const damaged = new Uint8Array(bytes);
      for (let k = 0; k <= i % 3; k++) damaged[generator.int(damaged.length)] = generator.int(256);
      writeFileSync(path, damaged);
      await readPdparams(path).catch((error: unknown) => expect(error).toBeInstanceOf(FileError));
    }
  });
});

it('a list in itself is read', () => {
  const list = parse(file(']\x94h\0a')) as unknown[];
  expect(list[0]).toBe(list);
});

it('a file that is missing, or a folder, is an error with its name', async () => {
  await expect(loadPickle('/nowhere/x.pdparams')).rejects.toThrow(
    '[pickle] /nowhere/x.pdparams: expected a readable file',
  );
  await expect(loadPickle(folder)).rejects.toThrow('expected a readable file, got a folder');
});
