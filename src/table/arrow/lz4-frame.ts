const MAGIC = 0x184d2204;
const SMALLEST_MATCH = 4;

/**
 * Unpacks an LZ4 frame, which is how Arrow files are compressed by default; Node has no LZ4 of its own. Checksums are not
 * verified. Throws an Error for bytes that are no frame. Source: the LZ4 frame and block format descriptions of the LZ4
 * project.
 */
export function unpackLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Error("it is no LZ4 frame");
  const flags = frame[4]!;
  const hasBlockChecksums = (flags & 0x10) !== 0;
  const hasSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  const output = createOutput(hasSize ? Number(view.getBigUint64(6, true)) : frame.length * 3);
  // Magic number, flags, block size, the optional size and dictionary id, and the header's checksum.
  let at = 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  for (;;) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return output.bytes();
    const size = word & 0x7fffffff;
    if (at + size > frame.length) throw new Error("an LZ4 block is cut off");
    const block = frame.subarray(at, at + size);
    if (word >>> 31 === 1) output.append(block, 0, size);
    else unpackBlock(block, output);
    at += size + (hasBlockChecksums ? 4 : 0);
  }
}

interface Output {
  append(source: Uint8Array, from: number, length: number): void;
  /** Repeats what was written `distance` bytes ago. */
  repeat(distance: number, length: number): void;
  bytes(): Uint8Array;
}

function unpackBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  const length = (nibble: number): number => {
    if (nibble < 15) return nibble;
    let sum = nibble;
    let more: number;
    do {
      if (at >= block.length) throw new Error("an LZ4 length is cut off");
      more = block[at++]!;
      sum += more;
    } while (more === 255);
    return sum;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = length(token >>> 4);
    if (at + literals > block.length) throw new Error("LZ4 literals are cut off");
    output.append(block, at, literals);
    at += literals;
    // The last sequence has literals only.
    if (at >= block.length) return;
    const distance = block[at]! | (block[at + 1]! << 8);
    at += 2;
    output.repeat(distance, length(token & 15) + SMALLEST_MATCH);
  }
}

function createOutput(capacity: number): Output {
  let bytes = new Uint8Array(Math.max(64, capacity));
  let used = 0;
  const reserve = (length: number) => {
    if (used + length <= bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes.length * 2, used + length));
    larger.set(bytes.subarray(0, used));
    bytes = larger;
  };
  return {
    append(source, from, length) {
      reserve(length);
      if (length < 32)
        for (let index = 0; index < length; index++) bytes[used + index] = source[from + index]!;
      else bytes.set(source.subarray(from, from + length), used);
      used += length;
    },
    repeat(distance, length) {
      if (distance === 0 || distance > used) throw new Error("an LZ4 match points before the start");
      reserve(length);
      const from = used - distance;
      // Byte by byte where the match overlaps what it writes.
      if (distance >= length && length >= 32) bytes.copyWithin(used, from, from + length);
      else for (let index = 0; index < length; index++) bytes[used + index] = bytes[from + index]!;
      used += length;
    },
    bytes: () => bytes.subarray(0, used),
  };
}
