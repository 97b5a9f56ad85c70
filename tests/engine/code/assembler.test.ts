import { describe, expect, it } from 'vitest';
import { Assembler, type Lanes } from '../../../src/engine/onednn/code/assembler.js';
import { at, counter, gpr } from '../../../src/engine/onednn/code/generalAssembler.js';
import { InternalError } from '../../../src/errors.js';

const { rax, rcx, rdx, rbx, rsi, r8, r9, r10, r11, r14, r15 } = gpr;
const far = 0x1235;

/** The bytes that GNU as gives for the instruction's text (`as`, then `objdump -d -M intel`). */
type Instruction = readonly [text: string, write: (to: Assembler) => void, bytes: string];

const general: readonly Instruction[] = [
  ['push rbx', (to) => to.push(rbx), '53'],
  ['pop r10', (to) => to.pop(r10), '41 5a'],
  ['mov r9d, 7', (to) => to.set(r9, 7), '41 b9 07 00 00 00'],
  ['mov r9, rsi', (to) => to.copy(r9, rsi), '49 89 f1'],
  ['mov rcx, [rbx+0x1235]', (to) => to.load(rcx, at(rbx, far)), '48 8b 8b 35 12 00 00'],
  ['mov [rbx+0x1235], rsi', (to) => to.store(at(rbx, far), rsi), '48 89 b3 35 12 00 00'],
  ['add rcx, [r8+0x1235]', (to) => to.add(rcx, at(r8, far)), '49 03 88 35 12 00 00'],
  ['add rdx, -0x1235', (to) => to.addConstant(rdx, -far), '48 81 c2 cb ed ff ff'],
  ['imul r8, r8, 0x1235', (to) => to.multiplyBy(r8, far), '4d 69 c0 35 12 00 00'],
  ['cmp r8, [rbx+0x1235]', (to) => to.compare(r8, at(rbx, far)), '4c 3b 83 35 12 00 00'],
  ['test r9, 0x1235', (to) => to.testBits(r9, far), '49 f7 c1 35 12 00 00'],
  ['dec rdx', (to) => to.decrement(rdx), '48 ff ca'],
  ['push r12', (to) => to.push(counter), '41 54'],
  ['mov r12d, 7', (to) => to.set(counter, 7), '41 bc 07 00 00 00'],
  ['dec r12', (to) => to.decrement(counter), '49 ff cc'],
  ['lock xadd [rbx+0x1235], r8', (to) => to.fetchAdd(at(rbx, far), r8), 'f0 4c 0f c1 83 35 12 00 00'],
  ['prefetcht0 [r11+0x1235]', (to) => to.prefetch(at(r11, far)), '41 0f 18 8b 35 12 00 00'],
  ['ret', (to) => to.ret(), 'c3'],
  ['vzeroupper', (to) => to.vzeroupper(), 'c5 f8 77'],
];

const of16Lanes: readonly Instruction[] = [
  ['vmovups zmm17, [rcx+0x1235]', (to) => to.vload(17, at(rcx, far)), '62 e1 7c 48 10 89 35 12 00 00'],
  ['vmovups zmm3{k2}{z}, [r9-0x1235]', (to) => to.vloadWhere(2, 3, at(r9, -far)), '62 d1 7c ca 10 99 cb ed ff ff'],
  ['vmovups [r10+0x1235], zmm30', (to) => to.vstore(at(r10, far), 30), '62 41 7c 48 11 b2 35 12 00 00'],
  ['vmovups [r10+0x1235], xmm20', (to) => to.vstore16Bytes(at(r10, far), 20), '62 c1 7c 08 11 a2 35 12 00 00'],
  ['vmovaps zmm20, zmm9', (to) => to.vcopy(20, 9), '62 c1 7c 48 28 e1'],
  ['vmovaps zmm20{k1}{z}, zmm20', (to) => to.vkeepWhere(1, 20), '62 a1 7c c9 28 e4'],
  ['vmovdqu8 xmm5, xmm18', (to) => to.vcopy16Bytes(5, 18), '62 b1 7f 08 6f ea'],
  ['vpxord zmm31, zmm31, zmm31', (to) => to.vzero(31), '62 01 05 40 ef ff'],
  ['vpbroadcastb xmm16, esi', (to) => to.vbroadcastByte(16, rsi), '62 e2 7d 08 7a c6'],
  ['vaddps zmm8, zmm16, zmm31', (to) => to.v('add', 8, 16, 31), '62 11 7c 40 58 c7'],
  ['vmulps zmm1, zmm2, [rax+0x1235]', (to) => to.v('mul', 1, 2, at(rax, far)), '62 f1 6c 48 59 88 35 12 00 00'],
  ['vsubps zmm12, zmm12, zmm0', (to) => to.v('sub', 12, 12, 0), '62 71 1c 48 5c e0'],
  ['vdivps zmm2, zmm2, zmm21', (to) => to.v('div', 2, 2, 21), '62 b1 6c 48 5e d5'],
  ['vmaxps zmm1, zmm1, zmm2', (to) => to.v('max', 1, 1, 2), '62 f1 74 48 5f ca'],
  ['vfmadd213ps zmm12, zmm4, zmm28', (to) => to.v('mulAdd', 12, 4, 28), '62 12 5d 48 a8 e4'],
  ['vfmadd231ps zmm8, zmm12, zmm13', (to) => to.v('addMul', 8, 12, 13), '62 52 1d 48 b8 c5'],
  ['vaddps zmm0{k1}, zmm0, [r10+0x1235]', (to) => to.vaddWhere(1, 0, at(r10, far)), '62 d1 7c 49 58 82 35 12 00 00'],
  [
    'vfmadd231ps zmm9, zmm18, [r11+0x1235]{1to16}',
    (to) => to.vaddMulOne(9, 18, at(r11, far)),
    '62 52 6d 50 b8 8b 35 12 00 00',
  ],
  ['vdpbf16ps zmm17, zmm3, zmm24', (to) => to.vaddDot(17, 3, 24), '62 82 66 48 52 c8'],
  ['vmovss [r10+0x1235], xmm20', (to) => to.vstoreOne(at(r10, far), 20), '62 c1 7e 08 11 a2 35 12 00 00'],
  [
    'vshuff32x4 zmm3, zmm17, zmm17, 0x4e; vaddps zmm17, zmm17, zmm3; the same with 0xb1; vpermilps zmm3, zmm17, 0x4e; …',
    (to) => to.vsumLanes(17, 3),
    '62 b3 75 40 23 d9 4e 62 e1 74 40 58 cb 62 b3 75 40 23 d9 b1 62 e1 74 40 58 cb ' +
      '62 b3 7d 48 04 d9 4e 62 e1 74 40 58 cb 62 b3 7d 48 04 d9 b1 62 e1 74 40 58 cb',
  ],
  ['vsqrtps zmm17, zmm3', (to) => to.vsqrt(17, 3), '62 e1 7c 48 51 cb'],
  ['vbroadcastss zmm18, [rsi+0x1235]', (to) => to.vbroadcast(18, at(rsi, far)), '62 e2 7d 48 18 96 35 12 00 00'],
  [
    'mov esi, 0xbf000000; vpbroadcastd zmm30, esi',
    (to) => to.vconstant(30, -0.5, rsi),
    'be 00 00 00 bf 62 62 7d 48 7c f6',
  ],
  ['vcmpltps k1, zmm0, zmm24', (to) => to.vcompare('less', 1, 0, 24), '62 91 7c 48 c2 c8 01'],
  ['vcmpnltps k2{k2}, zmm5, zmm20', (to) => to.vcompareWhere('notLess', 2, 5, 20), '62 b1 54 4a c2 d4 05'],
  ['vcmpordps k3, zmm9, zmm9', (to) => to.vcompare('ordered', 3, 9, 9), '62 d1 34 48 c2 d9 07'],
  ['vcmpunordps k1, zmm31, zmm31', (to) => to.vcompare('unordered', 1, 31, 31), '62 91 04 40 c2 cf 03'],
  ['kortestw k5, k5', (to) => to.vtest(5), 'c5 f8 98 ed'],
  ['vblendmps zmm3{k2}, zmm20, zmm3', (to) => to.vblend(2, 3, 20, 3), '62 f2 5d 42 65 db'],
  ['vpblendmb xmm5{k3}, xmm18, xmm5', (to) => to.vblend16Bytes(3, 5, 18, 5), '62 f2 6d 03 66 ed'],
  ['vpcmpeqb k4, xmm19, [r11+0x1235]', (to) => to.vequal16Bytes(4, 19, at(r11, far)), '62 d1 65 00 74 a3 35 12 00 00'],
  [
    'vpmovzxwd zmm9{k1}{z}, [rdx+0x1235]; vpslld zmm9, zmm9, 16',
    (to) => to.vwiden(9, at(rdx, far), 1),
    '62 72 7d c9 33 8a 35 12 00 00 62 d1 35 48 72 f1 10',
  ],
  [
    'vpsrld zmm21, zmm21, 16; vpmovdw [r9+0x1235], zmm21',
    (to) => to.vstoreUpperHalves(at(r9, far), 21),
    '62 b1 55 40 72 d5 10 62 c2 7e 48 33 a9 35 12 00 00',
  ],
  [
    'vcvtneps2bf16 ymm23, zmm23; vmovups [r9+0x1235], ymm23',
    (to) => to.vstoreRounded(at(r9, far), 23),
    '62 a2 7e 48 72 ff 62 c1 7c 28 11 b9 35 12 00 00',
  ],
];

/** With VEX prefixes of three bytes, which GNU as writes for `{vex3}`. */
const of8Lanes: readonly Instruction[] = [
  ['vmovups ymm7, [rcx+0x1235]', (to) => to.vload(7, at(rcx, far)), 'c4 e1 7c 10 b9 35 12 00 00'],
  ['vandps ymm3, ymm12, [r9-0x1235]', (to) => to.vloadWhere(12, 3, at(r9, -far)), 'c4 c1 1c 54 99 cb ed ff ff'],
  ['vmovups [r10+0x1235], ymm13', (to) => to.vstore(at(r10, far), 13), 'c4 41 7c 11 aa 35 12 00 00'],
  ['vmovaps ymm10, ymm9', (to) => to.vcopy(10, 9), 'c4 41 7c 28 d1'],
  ['vandps ymm14, ymm2, ymm14', (to) => to.vkeepWhere(2, 14), 'c4 41 6c 54 f6'],
  ['vpxor ymm15, ymm15, ymm15', (to) => to.vzero(15), 'c4 41 05 ef ff'],
  ['vaddps ymm8, ymm6, ymm15', (to) => to.v('add', 8, 6, 15), 'c4 41 4c 58 c7'],
  ['vmulps ymm1, ymm2, [rax+0x1235]', (to) => to.v('mul', 1, 2, at(rax, far)), 'c4 e1 6c 59 88 35 12 00 00'],
  ['vsubps ymm12, ymm12, ymm0', (to) => to.v('sub', 12, 12, 0), 'c4 61 1c 5c e0'],
  ['vdivps ymm2, ymm2, ymm11', (to) => to.v('div', 2, 2, 11), 'c4 c1 6c 5e d3'],
  ['vmaxps ymm1, ymm1, ymm2', (to) => to.v('max', 1, 1, 2), 'c4 e1 74 5f ca'],
  ['vfmadd213ps ymm12, ymm4, ymm8', (to) => to.v('mulAdd', 12, 4, 8), 'c4 42 5d a8 e0'],
  ['vfmadd231ps ymm8, ymm12, [r11+0x1235]', (to) => to.v('addMul', 8, 12, at(r11, far)), 'c4 42 1d b8 83 35 12 00 00'],
  ['vmovss [r10+0x1235], xmm12', (to) => to.vstoreOne(at(r10, far), 12), 'c4 41 7a 11 a2 35 12 00 00'],
  [
    'vperm2f128 ymm3, ymm9, ymm9, 1; vaddps ymm9, ymm9, ymm3; vpermilps ymm3, ymm9, 0x4e; …; the same with 0xb1',
    (to) => to.vsumLanes(9, 3),
    'c4 c3 35 06 d9 01 c4 61 34 58 cb c4 c3 7d 04 d9 4e c4 61 34 58 cb c4 c3 7d 04 d9 b1 c4 61 34 58 cb',
  ],
  ['vsqrtps ymm7, ymm13', (to) => to.vsqrt(7, 13), 'c4 c1 7c 51 fd'],
  ['vbroadcastss ymm8, [rsi+0x1235]', (to) => to.vbroadcast(8, at(rsi, far)), 'c4 62 7d 18 86 35 12 00 00'],
  [
    'mov r9d, 0xbf000000; vmovd xmm10, r9d; vbroadcastss ymm10, xmm10',
    (to) => to.vconstant(10, -0.5, r9),
    '41 b9 00 00 00 bf c4 41 79 6e d1 c4 42 7d 18 d2',
  ],
  ['vcmpltps ymm1, ymm0, ymm14', (to) => to.vcompare('less', 1, 0, 14), 'c4 c1 7c c2 ce 01'],
  [
    'vcmpnltps ymm11, ymm5, [rdx+0x1235]',
    (to) => to.vcompare('notLess', 11, 5, at(rdx, far)),
    'c4 61 54 c2 9a 35 12 00 00 05',
  ],
  ['vcmpordps ymm3, ymm9, ymm9', (to) => to.vcompare('ordered', 3, 9, 9), 'c4 c1 34 c2 d9 07'],
  ['vcmpunordps ymm1, ymm13, ymm13', (to) => to.vcompare('unordered', 1, 13, 13), 'c4 c1 14 c2 cd 03'],
  ['vtestps ymm10, ymm10', (to) => to.vtest(10), 'c4 42 7d 0e d2'],
  ['vblendvps ymm3, ymm10, ymm2, ymm12', (to) => to.vblend(12, 3, 10, 2), 'c4 e3 2d 4a da c0'],
  [
    'vblendvps ymm9, ymm1, [r14+0x1235], ymm5',
    (to) => to.vblend(5, 9, 1, at(r14, far)),
    'c4 43 75 4a 8e 35 12 00 00 50',
  ],
  ['vorps ymm4, ymm4, ymm11', (to) => to.vor(4, 11), 'c4 c1 5c 56 e3'],
  ['vpmovzxbd ymm9, [r11+0x1235]', (to) => to.vwidenBytes(9, at(r11, far)), 'c4 42 7d 31 8b 35 12 00 00'],
  ['vpcmpeqd ymm4, ymm13, [r15+0x1235]', (to) => to.vequal(4, 13, at(r15, far)), 'c4 c1 15 76 a7 35 12 00 00'],
  [
    'vextracti128 xmm12, ymm9, 1; vpackusdw xmm9, xmm9, xmm12; vpackuswb xmm9, xmm9, xmm9; vmovq [r8+0x1235], xmm9',
    (to) => to.vstoreBytes(at(r8, far), 9, 12),
    'c4 43 7d 39 cc 01 c4 42 31 2b cc c4 41 31 67 c9 c4 41 79 d6 88 35 12 00 00',
  ],
];

const hex = (code: Uint8Array) => [...code].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

describe('assembler', () => {
  const written = (lanes: Lanes, write: (to: Assembler) => void) => {
    const to = new Assembler(lanes);
    write(to);
    return hex(to.finish());
  };
  it.each(general)('%s', (_, write, bytes) => {
    expect([written(8, write), written(16, write)]).toEqual([bytes, bytes]);
  });
  it.each(of16Lanes)('%s', (_, write, bytes) => expect(written(16, write)).toBe(bytes));
  it.each(of8Lanes)('%s', (_, write, bytes) => expect(written(8, write)).toBe(bytes));

  it('refuses instructions of the other width, and registers that are not there', () => {
    expect(() => new Assembler(8).vaddDot(1, 2, 3)).toThrow(InternalError);
    expect(() => new Assembler(16).vor(1, 2)).toThrow(InternalError);
    expect(() => new Assembler(8).vload(16, at(rax))).toThrow(InternalError);
  });

  it('puts constants behind the code, at a cache line, and finds them', () => {
    const to = new Assembler(8);
    to.locate(r9, to.constants(Uint8Array.of(1, 2)));
    to.ret();
    const bytes = to.finish();
    expect(hex(bytes.subarray(0, 8))).toBe('4c 8d 0d 39 00 00 00 c3');
    expect([...bytes.subarray(64)]).toEqual([1, 2]);
  });

  it('fills in jumps both ways, and loops only where there is more than one turn', () => {
    const to = new Assembler(16);
    const end = to.label();
    to.jump(end, 'aboveOrEqual');
    to.repeat(rdx, 1, () => to.ret());
    to.repeat(rdx, 3, () => to.ret());
    to.bind(end);
    to.jump(end);
    expect(hex(to.finish())).toBe('0f 83 10 00 00 00 c3 ba 03 00 00 00 c3 48 ff ca 0f 85 f6 ff ff ff e9 fb ff ff ff');
  });

  it('refuses jumps to nowhere and numbers that do not fit', () => {
    const to = new Assembler(16);
    to.jump(to.label());
    expect(() => to.finish()).toThrow(InternalError);
    expect(() => to.addConstant(rax, 2 ** 31)).toThrow('2147483648 does not fit into 32 bits');
  });
});
