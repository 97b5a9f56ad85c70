import { expect, it } from 'vitest';
import { FileError } from '../../src/errors.js';
import { csvText, safeCell, unsafeCell } from '../../src/text/csv.js';
import { decodeText } from '../../src/text/decode.js';
import { classNameOf, likeNames, normalName, sameName, spelling } from '../../src/text/names.js';
import { nameOfBytes, visibleBytes, visibleJson, visibleLine, visibleText } from '../../src/text/visible.js';

it('has one form for each name', () => {
  expect(normalName('  cafe\u0301 au  lait\u00a0\u200b')).toBe('café au  lait');
  expect(classNameOf('\u200ecat\u200f do\u200dg\u2066')).toBe('cat dog');
  // A joiner between letters of Persian, and one in a picture of a family, are part of the word.
  for (const name of ['می\u200cخواهم', '👩\u200d👧']) expect(classNameOf(name)).toBe(name);
  expect(classNameOf(' cafe\u0301\u00a0 au\tl\u200bait\u00ad')).toBe('café au lait');
  expect(sameName('cafe\u0301', 'café')).toBe(true);
  expect(sameName('Cat', 'cat')).toBe(false);
  expect(likeNames(['café', 'tea', 'cafe\u0301', 'tea'])).toEqual([['café', 'cafe\u0301']]);
  expect(spelling('cafe\u0301')).toBe('cafe\\u{301}');
});

it('shows what hides in names', () => {
  expect(visibleLine('\x1b]0;title\x07\r\n\tß 猫 😀 \x9b1m')).toBe('\\x1b]0;title\\x07\\r\\n\\tß 猫 😀 \\x9b1m');
  expect(visibleLine('a\u202egpj.exe\u2028\ud800')).toBe('a\\u202egpj.exe\\u2028\\ud800');
  expect(visibleText('a\nb\r\x1b')).toBe('a\nb\\r\\x1b');
  const json = visibleJson({ name: 'a\x9b\u202e\n' });
  expect(json).toBe('{"name":"a\\u009b\\u202e\\n"}');
  expect(JSON.parse(json)).toEqual({ name: 'a\x9b\u202e\n' });
  expect(nameOfBytes(Buffer.from('Bär'))).toBe('Bär');
  expect(nameOfBytes(Buffer.from('Bär', 'latin1'))).toBeNull();
  expect(visibleBytes(Buffer.from('Bär', 'latin1'))).toBe('B\\xe4r');
});

it.each([
  ['UTF-8', Buffer.from('Bär €')],
  ['UTF-8', Buffer.from('\ufeffBär €')],
  ['UTF-16LE', Buffer.from('\ufeffBär €', 'utf16le')],
  ['UTF-16BE', Buffer.from('\ufeffBär €', 'utf16le').swap16()],
  ['Windows-1252', Buffer.from([0x42, 0xe4, 0x72, 0x20, 0x80])],
])('decodes %s', (encoding, bytes) => {
  expect(decodeText(bytes, '[table] a')).toEqual({ text: 'Bär €', encoding });
});

it.each([
  ['bytes that are no text', [0x61, 0, 0x62]],
  ['bytes that are no text', [0xff, 0, 0x62]],
  ['UTF-32', [0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]],
  ['broken UTF-16', [0xff, 0xfe, 0, 0xd8, 0x61, 0]],
  ['broken UTF-8', [0xef, 0xbb, 0xbf, 0xe4]],
  ['text in an unknown encoding', [0x61, 0x81]],
])('refuses %s', (got, bytes) => {
  const error = (() => {
    try {
      return decodeText(Uint8Array.from(bytes), '[table] a');
    } catch (reason) {
      return reason;
    }
  })();
  expect(error).toBeInstanceOf(FileError);
  expect((error as FileError).message).toBe(`[table] a: expected text, got ${got}; save it again as UTF-8`);
});

it('writes cells that no spreadsheet takes for formulas', () => {
  const harmless = ['a=b', '-0.5', '+1e-3', '12', '', 'a-b', '.5'];
  expect(harmless.map(safeCell)).toEqual(harmless);
  const formulas = ['=1+1', '@SUM(A1)', '+a', '-a', '-1+2', ' =1', '＝1', '-'];
  expect(formulas.map(safeCell)).toEqual(formulas.map((text) => `'${text}`));
  expect(formulas.map(safeCell).map(unsafeCell)).toEqual(formulas);
  expect(['\t=1', '\r1', '\n'].map(safeCell)).toEqual(["'\\t=1", "'\\r1", "'\\n"]);
  expect(csvText([['a', '=b;c', -0.5, undefined], ['d"\n']])).toBe('a,"\'=b;c",-0.5,\n"d""\\n"\n');
});
