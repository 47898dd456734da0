/**
 * HPACK's Huffman code both ways (RFC 7541 section 5.2). Comes in: bytes. Goes out: bytes in a buffer of the caller.
 * Decoding walks a table by half bytes: one step yields at most one symbol, because no code is shorter than five bits.
 */
import { COMPRESSION_ERROR, ConnectionError } from "../frame/error-code.ts";

const EOS = 256;

/**
 * Code lengths in bits of the HPACK Huffman code, for byte values 0 to 255 and then EOS (RFC 7541 Appendix B).
 * The code is canonical: codes of one length count upwards in symbol order, so the lengths say all of it.
 */
// biome-ignore format: sixteen symbols a line, as the byte values run
const HUFFMAN_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

function canonicalCodes(): Uint32Array {
  const codes = new Uint32Array(HUFFMAN_LENGTHS.length);
  const order = [...HUFFMAN_LENGTHS.keys()].sort(
    (a, b) => HUFFMAN_LENGTHS[a]! - HUFFMAN_LENGTHS[b]! || a - b,
  );
  let code = 0;
  let length = 0;
  for (const symbol of order) {
    code <<= HUFFMAN_LENGTHS[symbol]! - length;
    length = HUFFMAN_LENGTHS[symbol]!;
    codes[symbol] = code++;
  }
  return codes;
}

const CODES = canonicalCodes();
const LENGTHS = Uint8Array.from(HUFFMAN_LENGTHS);

// A step packs: next node (bits 0-8), symbol (bits 9-16), whether one was completed (bit 17); -1 refuses the input.
const SYMBOL_SHIFT = 9;
const EMITS = 1 << 17;

function buildSteps(): { steps: Int32Array; accepting: Uint8Array } {
  // Inner nodes of the code tree; children are inner nodes (>= 0), leaves (-2 - symbol), or absent (-1).
  const children: [number, number][] = [[-1, -1]];
  const depth = [0];
  const allOnes = [true];
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0;
    for (let bit = LENGTHS[symbol]! - 1; bit >= 0; bit--) {
      const side = ((CODES[symbol]! >>> bit) & 1) as 0 | 1;
      if (bit === 0) {
        children[node]![side] = -2 - symbol;
      } else {
        if (children[node]![side] === -1) {
          children[node]![side] = children.length;
          children.push([-1, -1]);
          depth.push(depth[node]! + 1);
          allOnes.push(allOnes[node]! && side === 1);
        }
        node = children[node]![side];
      }
    }
  }
  const steps = new Int32Array(children.length * 16);
  for (let start = 0; start < children.length; start++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      steps[start * 16 + nibble] = walk(children, start, nibble);
    }
  }
  // Padding is at most seven bits, all ones: a prefix of EOS (RFC 7541 section 5.2).
  const accepting = Uint8Array.from(children, (_, node) => (depth[node]! <= 7 && allOnes[node]! ? 1 : 0));
  return { steps, accepting };
}

function walk(children: readonly (readonly [number, number])[], start: number, nibble: number): number {
  let node = start;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[node]![((nibble >>> bit) & 1) as 0 | 1];
    if (next >= 0) {
      node = next;
    } else {
      const symbol = -2 - next;
      if (symbol === EOS || next === -1) return -1;
      emitted = EMITS | (symbol << SYMBOL_SHIFT);
      node = 0;
    }
  }
  return emitted | node;
}

const { steps: STEPS, accepting: ACCEPTING } = buildSteps();

/**
 * Decodes `source[start, end)` into `target`, which must hold 8/5 of the input; gives the count of bytes written.
 * Throws ConnectionError COMPRESSION_ERROR for EOS, for padding longer than seven bits or not all ones.
 */
export function huffmanDecode(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let node = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    const high = STEPS[(node << 4) | (byte >>> 4)]!;
    if (high < 0) throw new ConnectionError(COMPRESSION_ERROR, "Huffman string holds the EOS symbol");
    if ((high & EMITS) !== 0) target[length++] = (high >>> SYMBOL_SHIFT) & 0xff;
    const low = STEPS[((high & 0x1ff) << 4) | (byte & 0xf)]!;
    if (low < 0) throw new ConnectionError(COMPRESSION_ERROR, "Huffman string holds the EOS symbol");
    if ((low & EMITS) !== 0) target[length++] = (low >>> SYMBOL_SHIFT) & 0xff;
    node = low & 0x1ff;
  }
  if (ACCEPTING[node] === 0) {
    throw new ConnectionError(
      COMPRESSION_ERROR,
      "Huffman string ends in padding that is not a prefix of EOS",
    );
  }
  return length;
}

/** Bytes that `source` takes when Huffman-coded. */
export function huffmanLength(source: Uint8Array): number {
  let bits = 0;
  for (const byte of source) bits += LENGTHS[byte]!;
  return (bits + 7) >>> 3;
}

/** Encodes `source` into `target` from `offset`; gives the offset after the last byte. Pads with ones. */
export function huffmanEncode(source: Uint8Array, target: Uint8Array, offset: number): number {
  let pending = 0;
  let pendingBits = 0;
  let position = offset;
  for (const byte of source) {
    // At most 7 bits wait and a byte's code has at most 28, more than 32 together: codes go in by halves.
    let left = LENGTHS[byte]!;
    const code = CODES[byte]!;
    while (left > 0) {
      const take = Math.min(left, 16);
      left -= take;
      pending = (pending << take) | ((code >>> left) & ((1 << take) - 1));
      pendingBits += take;
      while (pendingBits >= 8) {
        pendingBits -= 8;
        target[position++] = (pending >>> pendingBits) & 0xff;
      }
      pending &= (1 << pendingBits) - 1;
    }
  }
  if (pendingBits > 0) target[position++] = ((pending << (8 - pendingBits)) | (0xff >>> pendingBits)) & 0xff;
  return position;
}
