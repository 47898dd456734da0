/**
 * A small assembler: functions of WebAssembly, written as calls, to the bytes of a module. See https://webassembly.github.io/spec/core/binary/.
 */

/** Types of values. */
export const I32 = 0x7f;
/** A vector of 128 bits. */
export const V128 = 0x7b;
export const F32 = 0x7d;
export const F64 = 0x7c;

/** Instructions that stand alone, by their names in the specification. */
export const OP = {
  return: [0x0f],
  select: [0x1b],
  "i32.eqz": [0x45],
  "i32.lt_s": [0x48],
  "i32.lt_u": [0x49],
  "i32.add": [0x6a],
  "i32.sub": [0x6b],
  "i32.mul": [0x6c],
  "i32.and": [0x71],
  "i32.or": [0x72],
  "i32.shl": [0x74],
  "i32.shr_u": [0x76],
  "f32.gt": [0x5e],
  "f32.lt": [0x5d],
  "f64.gt": [0x64],
  "f64.lt": [0x63],
  "f32.add": [0x92],
  "f64.add": [0xa0],
  "i8x16.swizzle": vector(14),
  "i8x16.splat": vector(15),
  "f32x4.splat": vector(19),
  "i8x16.ne": vector(36),
  "i8x16.gt_s": vector(39),
  "f32x4.eq": vector(65),
  "f32x4.ne": vector(66),
  "f32x4.gt": vector(68),
  "v128.not": vector(77),
  "v128.and": vector(78),
  "v128.andnot": vector(79),
  "v128.or": vector(80),
  "v128.xor": vector(81),
  "v128.bitselect": vector(82),
  "i8x16.neg": vector(97),
  "i8x16.narrow_i16x8_u": vector(102),
  "i8x16.shr_u": vector(109),
  "i8x16.add": vector(110),
  "i8x16.min_u": vector(119),
  "i16x8.narrow_i32x4_u": vector(134),
  "i32x4.sub": vector(177),
  "f32x4.add": vector(228),
  "f32x4.pmin": vector(234),
  "f32x4.pmax": vector(235),
  "f64x2.add": vector(240),
  "f64x2.pmin": vector(246),
  "f64x2.pmax": vector(247),
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** Instructions that read memory at an address on the stack, and how many bytes. */
const LOADS = {
  "i32.load": [0x28],
  "f32.load": [0x2a],
  "f64.load": [0x2b],
  "i32.load8_u": [0x2d],
  "v128.load": vector(0),
  "v128.load8_splat": vector(7),
  "v128.load32_splat": vector(9),
  "v128.load64_splat": vector(10),
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** Instructions that write what lies on the stack to the address below it. */
const STORES = {
  "i32.store": [0x36],
  "f32.store": [0x38],
  "f64.store": [0x39],
  "i32.store8": [0x3a],
  "v128.store": vector(11),
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** Instructions that read or write one lane of a vector. */
const LANES = {
  "v128.load32_lane": vector(86),
  "v128.load64_lane": vector(87),
  "v128.store64_lane": vector(91),
} as const satisfies Readonly<Record<string, readonly number[]>>;

function vector(code: number): number[] {
  return [0xfd, ...unsigned(code)];
}

function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  out.push(rest);
  return out;
}

function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...out, low];
    out.push(low | 0x80);
  }
}

/** A function that is being written: its locals by number, its code in the order of the calls. */
export class FunctionCode {
  readonly #parameterCount: number;
  readonly #locals: number[] = [];
  readonly #code: number[] = [];

  constructor(parameterCount: number) {
    this.#parameterCount = parameterCount;
  }

  /** Another local, zero at first. */
  local(type: number): number {
    this.#locals.push(type);
    return this.#parameterCount + this.#locals.length - 1;
  }

  /** Any number of instructions that stand alone. */
  op(...names: (keyof typeof OP)[]): this {
    for (const name of names) this.#code.push(...OP[name]);
    return this;
  }

  get(...locals: number[]): this {
    for (const local of locals) this.#code.push(0x20, ...unsigned(local));
    return this;
  }

  set(local: number): this {
    this.#code.push(0x21, ...unsigned(local));
    return this;
  }

  tee(local: number): this {
    this.#code.push(0x22, ...unsigned(local));
    return this;
  }

  i32(value: number): this {
    this.#code.push(0x41, ...signed(value));
    return this;
  }

  /** A vector of sixteen bytes. */
  v128(bytes: readonly number[]): this {
    this.#code.push(...vector(12), ...bytes);
    return this;
  }

  load(name: keyof typeof LOADS, offset = 0): this {
    this.#code.push(...LOADS[name], 0, ...unsigned(offset));
    return this;
  }

  store(name: keyof typeof STORES, offset = 0): this {
    this.#code.push(...STORES[name], 0, ...unsigned(offset));
    return this;
  }

  lane(name: keyof typeof LANES, lane: number, offset = 0): this {
    this.#code.push(...LANES[name], 0, ...unsigned(offset), lane);
    return this;
  }

  /** Adds a constant to a local. */
  advance(local: number, step: number): this {
    return this.get(local).i32(step).op("i32.add").set(local);
  }

  /** Repeats `body` as long as what `condition` leaves on the stack is not zero; looks at it after each time. */
  doWhile(body: () => void, condition: () => void): this {
    this.#code.push(0x03, 0x40);
    body();
    condition();
    this.#code.push(0x0d, 0x00, 0x0b);
    return this;
  }

  /** Repeats `body` until `pointer` has reached `end`, which may be at once. */
  until(pointer: number, end: number, body: () => void): this {
    this.#code.push(0x02, 0x40);
    this.get(pointer, end).op("i32.lt_u", "i32.eqz");
    this.#code.push(0x0d, 0x00);
    this.doWhile(body, () => this.get(pointer, end).op("i32.lt_u"));
    this.#code.push(0x0b);
    return this;
  }

  /** The body as it stands in a module's code section. */
  bytes(): number[] {
    const locals = this.#locals.flatMap((type) => [1, type]);
    return sized([...unsigned(this.#locals.length), ...locals, ...this.#code, 0x0b]);
  }
}

/** A function of a module: all parameters are i32, none returns anything. */
export interface ModuleFunction {
  readonly name: string;
  readonly parameterCount: number;
  readonly code: FunctionCode;
}

/** The bytes of a module that imports its memory as `host.memory` and exports its functions. */
export function moduleBytes(functions: readonly ModuleFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameterCount }) => [
    0x60,
    ...unsigned(parameterCount),
    ...new Array<number>(parameterCount).fill(I32),
    0,
  ]);
  const indices = functions.map((_, index) => unsigned(index));
  const memory = [...text("host"), ...text("memory"), 0x02, 0x00, 0x01];
  const exported = functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [memory]),
    ...section(3, indices),
    ...section(7, exported),
    ...section(
      10,
      functions.map(({ code }) => code.bytes()),
    ),
  ]);
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return [id, ...sized([...unsigned(items.length), ...items.flat()])];
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function text(value: string): number[] {
  return sized([...new TextEncoder().encode(value)]);
}
