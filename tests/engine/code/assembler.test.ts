import { describe, expect, it } from 'vitest';
import { Assembler, at, counter, gpr } from '../../../src/engine/onednn/code/assembler.js';
import { InternalError } from '../../../src/errors.js';

const { rax, rcx, rdx, rbx, rsi, r8, r9, r10, r11 } = gpr;
const far = 0x1235;

/** The bytes that GNU as gives for the instruction's text (`as`, then `objdump -d -M intel`). */
const instructions: readonly (readonly [text: string, write: (to: Assembler) => void, bytes: string])[] = [
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
  ['vmovups zmm17, [rcx+0x1235]', (to) => to.vload(17, at(rcx, far)), '62 e1 7c 48 10 89 35 12 00 00'],
  [
    'vmovups zmm3{k2}{z}, [r9-0x1235]',
    (to) => to.vload(3, at(r9, -far), 512, { k: 2, zero: true }),
    '62 d1 7c ca 10 99 cb ed ff ff',
  ],
  ['vmovups [r10+0x1235], zmm30', (to) => to.vstore(at(r10, far), 30), '62 41 7c 48 11 b2 35 12 00 00'],
  ['vmovups [r10+0x1235], xmm20', (to) => to.vstore(at(r10, far), 20, 128), '62 c1 7c 08 11 a2 35 12 00 00'],
  ['vmovaps zmm20{k1}, zmm9', (to) => to.vcopy(20, 9, { k: 1 }), '62 c1 7c 49 28 e1'],
  ['vmovdqu8 xmm5{k3}, xmm18', (to) => to.vcopyBytes(5, 18, { k: 3 }), '62 b1 7f 0b 6f ea'],
  ['vpxord zmm31, zmm31, zmm31', (to) => to.vzero(31), '62 01 05 40 ef ff'],
  ['vpbroadcastb xmm16, esi', (to) => to.vbroadcastByte(16, rsi), '62 e2 7d 08 7a c6'],
  ['vaddps zmm8, zmm16, zmm31', (to) => to.v('add', 8, 16, 31), '62 11 7c 40 58 c7'],
  ['vmulps zmm1, zmm2, [rax+0x1235]', (to) => to.v('mul', 1, 2, at(rax, far)), '62 f1 6c 48 59 88 35 12 00 00'],
  ['vsubps zmm12, zmm12, zmm0', (to) => to.v('sub', 12, 12, 0), '62 71 1c 48 5c e0'],
  ['vdivps zmm2, zmm2, zmm21', (to) => to.v('div', 2, 2, 21), '62 b1 6c 48 5e d5'],
  ['vmaxps zmm1, zmm1, zmm2', (to) => to.v('max', 1, 1, 2), '62 f1 74 48 5f ca'],
  ['vfmadd213ps zmm12, zmm4, zmm28', (to) => to.v('mulAdd', 12, 4, 28), '62 12 5d 48 a8 e4'],
  ['vfmadd231ps zmm8, zmm12, zmm13', (to) => to.v('addMul', 8, 12, 13), '62 52 1d 48 b8 c5'],
  [
    'vaddps zmm0{k1}, zmm0, [r10+0x1235]',
    (to) => to.v('add', 0, 0, at(r10, far), { k: 1 }),
    '62 d1 7c 49 58 82 35 12 00 00',
  ],
  [
    'vfmadd231ps zmm9, zmm18, [r11+0x1235]{1to16}',
    (to) => to.vaddMulOne(9, 18, at(r11, far)),
    '62 52 6d 50 b8 8b 35 12 00 00',
  ],
  ['vdpbf16ps zmm17, zmm3, zmm24', (to) => to.vaddDot(17, 3, 24), '62 82 66 48 52 c8'],
  ['vsqrtps zmm17, zmm3', (to) => to.vsqrt(17, 3), '62 e1 7c 48 51 cb'],
  ['vbroadcastss zmm18, [rsi+0x1235]', (to) => to.vbroadcast(18, at(rsi, far)), '62 e2 7d 48 18 96 35 12 00 00'],
  [
    'mov esi, 0xbf000000; vpbroadcastd zmm30, esi',
    (to) => to.vconstant(30, -0.5, rsi),
    'be 00 00 00 bf 62 62 7d 48 7c f6',
  ],
  ['vcmpltps k1, zmm0, zmm24', (to) => to.vless(1, 0, 24), '62 91 7c 48 c2 c8 01'],
  ['vcmpnltps k2{k2}, zmm5, zmm20', (to) => to.vnotLess(2, 5, 20, { k: 2 }), '62 b1 54 4a c2 d4 05'],
  ['vcmpordps k3, zmm9, zmm9', (to) => to.vordered(3, 9, 9), '62 d1 34 48 c2 d9 07'],
  ['vcmpunordps k1, zmm31, zmm31', (to) => to.vunordered(1, 31, 31), '62 91 04 40 c2 cf 03'],
  ['kortestw k5, k5', (to) => to.testMask(5), 'c5 f8 98 ed'],
  ['vblendmps zmm3{k2}, zmm20, zmm3', (to) => to.vblend(3, 20, 3, 2), '62 f2 5d 42 65 db'],
  ['vpblendmb xmm5{k3}, xmm18, xmm5', (to) => to.vblendBytes(5, 18, 5, 3), '62 f2 6d 03 66 ed'],
  ['vpcmpeqb k4, xmm19, [r11+0x1235]', (to) => to.vequalBytes(4, 19, at(r11, far)), '62 d1 65 00 74 a3 35 12 00 00'],
  [
    'vpmovzxwd zmm9{k1}{z}, [rdx+0x1235]; vpslld zmm9, zmm9, 16',
    (to) => to.vwiden(9, at(rdx, far), { k: 1, zero: true }),
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
  ['vzeroupper', (to) => to.vzeroupper(), 'c5 f8 77'],
];

const hex = (code: Uint8Array) => [...code].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

describe('assembler', () => {
  it.each(instructions)('%s', (_, write, bytes) => {
    const to = new Assembler();
    write(to);
    expect(hex(to.finish())).toBe(bytes);
  });

  it('fills in jumps both ways, and loops only where there is more than one turn', () => {
    const to = new Assembler();
    const end = to.label();
    to.jump(end, 'aboveOrEqual');
    to.repeat(rdx, 1, () => to.ret());
    to.repeat(rdx, 3, () => to.ret());
    to.bind(end);
    to.jump(end);
    expect(hex(to.finish())).toBe('0f 83 10 00 00 00 c3 ba 03 00 00 00 c3 48 ff ca 0f 85 f6 ff ff ff e9 fb ff ff ff');
  });

  it('refuses jumps to nowhere and numbers that do not fit', () => {
    const to = new Assembler();
    to.jump(to.label());
    expect(() => to.finish()).toThrow(InternalError);
    expect(() => to.addConstant(rax, 2 ** 31)).toThrow('2147483648 does not fit into 32 bits');
  });
});
