import { FileError } from '../../../errors.js';
import { ByteReader, Latin1Text } from './byteReader.js';
import {
  Callable,
  callables,
  DataType,
  fillArray,
  type Host,
  type Item,
  isTuple,
  keyOf,
  nameOf,
  printable,
} from './callables.js';
import { NumpyArray } from './numpy.js';
import type { PickleKey, PickleValue } from './pickleValue.js';
import { refused } from './refusedOperations.js';

/** Limit of operations in one file, which bounds its memory. The largest network needs about 10,000. */
const maxOperations = 5_000_000;
const maxStack = 100_000;
/** Limit of an integer. */
const maxLongBytes = 1024;

/** The stack machine of pickles, without any operation that runs code. One instance reads one file. */
export class Unpickler {
  readonly #where: string;
  readonly #in: ByteReader;
  readonly #stack: Item[] = [];
  /** Length of the stack at each mark. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Item>();
  /** Position of the current operation. */
  #at = 0;
  /**
   * Bytes that calls may still make. In an honest file, text becomes bytes and bytes become arrays, each
   * once.
   */
  #budget: number;
  readonly #host: Host = {
    refuse: (expected, got) => this.#error(expected, got),
    spend: (amount) => {
      this.#budget -= amount;
      if (this.#budget < 0) throw this.#error('every byte to be used once', 'the same data again and again');
    },
  };

  constructor(bytes: Uint8Array, where: string) {
    this.#where = where;
    this.#in = new ByteReader(bytes, where);
    this.#budget = 3 * bytes.length;
  }

  load(): PickleValue {
    if (this.#in.left === 0 || this.#in.byte() !== 0x80) {
      throw new FileError(
        `[pickle] ${this.#where}: expected a pickle of protocol 2 to 5 (byte 0x80 first), got something else; ` +
          'save the data with paddle.save',
      );
    }
    const protocol = this.#in.byte();
    if (protocol < 2 || protocol > 5) throw this.#error('protocol 2 to 5', `protocol ${protocol}`);
    for (let count = 0; count < maxOperations; count++) {
      this.#at = this.#in.position;
      const operation = this.#in.byte();
      if (operation === 0x2e) return this.#stop();
      const value = this.#value(operation);
      if (value === undefined) this.#run(operation);
      else this.#stack.push(value);
      if (this.#stack.length > maxStack) throw this.#error(`at most ${maxStack} values under way`, 'more');
    }
    throw this.#error(`at most ${maxOperations} operations`, 'more');
  }

  #stop(): PickleValue {
    const result = this.#pop();
    if (this.#stack.length + this.#marks.length > 0) throw this.#error('one value in all', 'several');
    if (this.#in.left > 0) throw this.#error('the end of the file after the pickle', `${this.#in.left} more bytes`);
    return this.#checked(result);
  }

  /** The value that an operation pushes; undefined for other operations. */
  #value(operation: number): Item | undefined {
    const input = this.#in;
    switch (operation) {
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4b: // BININT1
        return input.byte();
      case 0x4d: // BININT2
        return input.short();
      case 0x4a: // BININT
        return input.int() | 0;
      case 0x8a: // LONG1
        return this.#integer(input.byte());
      case 0x8b: // LONG4
        return this.#integer(input.int());
      case 0x47: // BINFLOAT
        return input.double();
      case 0x8c: // SHORT_BINUNICODE
        return input.unicode(input.byte());
      case 0x58: // BINUNICODE
        return input.unicode(input.int());
      case 0x8d: // BINUNICODE8
        return input.unicode(input.long());
      case 0x55: // SHORT_BINSTRING
        return input.latin1(input.byte());
      case 0x54: // BINSTRING
        return input.latin1(input.int());
      case 0x43: // SHORT_BINBYTES
        return input.bytes(input.byte());
      case 0x42: // BINBYTES
        return input.bytes(input.int());
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return input.bytes(input.long());
      case 0x32: // DUP
        return this.#top();
      case 0x29: // EMPTY_TUPLE
        return Object.freeze([]);
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return Object.freeze(this.#popped(operation - 0x84));
      case 0x74: // TUPLE
        return Object.freeze(this.#popMark());
      case 0x5d: // EMPTY_LIST
        return [];
      case 0x6c: // LIST
        return this.#popMark();
      case 0x7d: // EMPTY_DICT
        return new Map();
      case 0x64: // DICT
        return this.#withItems(new Map(), this.#popMark());
      case 0x68: // BINGET
        return this.#kept(input.byte());
      case 0x6a: // LONG_BINGET
        return this.#kept(input.int());
      case 0x63: // GLOBAL
        return this.#find(input.line(), input.line());
      case 0x93: // STACK_GLOBAL
        return this.#find(...(this.#popped(2) as [Item, Item]));
      case 0x52: // REDUCE
        return this.#call(...(this.#popped(2) as [Item, Item]));
      default:
        return undefined;
    }
  }

  /** Runs an operation that changes the stack or its values. */
  #run(operation: number): void {
    const input = this.#in;
    switch (operation) {
      case 0x95: // FRAME
        input.need(input.long());
        break;
      case 0x28: // MARK
        this.#marks.push(this.#stack.length);
        if (this.#marks.length > maxStack) throw this.#error(`at most ${maxStack} marks`, 'more');
        break;
      case 0x30: // POP
        if (this.#stack.length === this.#marks.at(-1)) this.#marks.pop();
        else this.#pop();
        break;
      case 0x31: // POP_MARK
        this.#popMark();
        break;
      case 0x61: // APPEND
        this.#append(this.#popped(1));
        break;
      case 0x65: // APPENDS
        this.#append(this.#popMark());
        break;
      case 0x73: // SETITEM
        this.#setItems(this.#popped(2));
        break;
      case 0x75: // SETITEMS
        this.#setItems(this.#popMark());
        break;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        break;
      case 0x71: // BINPUT
        this.#memo.set(input.byte(), this.#top());
        break;
      case 0x72: // LONG_BINPUT
        this.#memo.set(input.int(), this.#top());
        break;
      case 0x62: // BUILD
        this.#build(this.#pop());
        break;
      case 0x69: // INST
        throw this.#refusedCall(`${input.line()}.${input.line()}`);
      default:
        throw this.#error(
          'arrays and plain containers',
          refused[operation] ?? `0x${operation.toString(16)}, which is no operation`,
        );
    }
  }

  #find(module: Item, name: Item): Callable {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#error('a name', nameOf(name));
    const found = callables.get(`${module}.${name}`);
    if (found === undefined) throw this.#refusedCall(`${module}.${name}`);
    return found;
  }

  #call(callable: Item, parameters: Item): Item {
    if (!(callable instanceof Callable)) throw this.#error('something to call', nameOf(callable));
    if (!isTuple(parameters)) throw this.#error('a tuple of arguments', nameOf(parameters));
    return callable.call(parameters, this.#host);
  }

  #refusedCall(name: string): FileError {
    return this.#error('arrays and plain containers', `a call of ${printable(name.slice(0, 200))}`);
  }

  #build(state: Item): void {
    const target = this.#top();
    if (target instanceof DataType && isTuple(state)) target.build(state, this.#host);
    else if (target instanceof NumpyArray && isTuple(state)) fillArray(target, state, this.#host);
    else throw this.#error('arrays and plain containers', `a state for ${nameOf(target)} (BUILD)`);
  }

  #integer(bytes: number): number | bigint {
    if (bytes > maxLongBytes) throw this.#error(`integers of at most ${maxLongBytes} bytes`, `${bytes}`);
    let value = 0n;
    for (const byte of Uint8Array.from(this.#in.bytes(bytes)).reverse()) value = (value << 8n) | BigInt(byte);
    value = BigInt.asIntN(8 * bytes, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #append(items: readonly Item[]): void {
    const list = this.#top();
    if (!Array.isArray(list) || Object.isFrozen(list)) throw this.#error('a list to append to', nameOf(list));
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly Item[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map)) throw this.#error('a dict to put entries in', nameOf(dict));
    this.#withItems(dict, items);
  }

  #withItems(dict: Map<PickleKey, Item>, items: readonly Item[]): Map<PickleKey, Item> {
    if (items.length % 2 !== 0) throw this.#error('keys with values', 'a key without');
    for (let i = 0; i < items.length; i += 2) dict.set(keyOf(items[i], this.#host), items[i + 1]);
    return dict;
  }

  #kept(index: number): Item {
    const item = this.#memo.get(index);
    if (item === undefined) throw this.#error('an object that was kept before', `number ${index}, which was not`);
    return item;
  }

  #top(): Item {
    this.#need(1);
    return this.#stack[this.#stack.length - 1];
  }

  #pop(): Item {
    return this.#popped(1)[0];
  }

  #popped(count: number): Item[] {
    this.#need(count);
    return this.#stack.splice(this.#stack.length - count);
  }

  #popMark(): Item[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#error('a mark on the stack', 'none');
    return this.#stack.splice(mark);
  }

  #need(count: number): void {
    const have = this.#stack.length - (this.#marks.at(-1) ?? 0);
    if (have < count) throw this.#error(`${count} values on the stack`, `${have}`);
  }

  /** The result, if it contains no helper objects that may only be on the stack. */
  #checked(result: Item): PickleValue {
    const seen = new Set<Item>();
    const todo = [result];
    for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
      if (typeof item !== 'object' || item === null || seen.has(item)) continue;
      seen.add(item);
      if (item instanceof Callable || item instanceof DataType || item instanceof Latin1Text) {
        throw this.#error('arrays and plain containers', nameOf(item));
      }
      if (item instanceof NumpyArray && item.contents === null) throw this.#error('arrays', 'one without contents');
      if (item instanceof Map) for (const value of item.values()) todo.push(value);
      else if (Array.isArray(item)) for (const value of item) todo.push(value);
    }
    return result as PickleValue;
  }

  #error(expected: string, got: string): FileError {
    return new FileError(
      `[pickle] ${this.#where}: expected ${expected}, got ${got} at byte ${this.#at}; the file is not loaded`,
    );
  }
}
