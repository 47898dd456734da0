const FIRST_BYTES = 64 * 1024;
/** No record may lie at 0, and vectors are read at multiples of their size. */
const ALIGNMENT = 64;

/** What a kernel reads and never writes, laid one after another into bytes that grow; addresses are those of the kernel's memory. */
export class ConstantMemory {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = ALIGNMENT;

  /** Where the next thing will lie. */
  get end(): number {
    return this.#end;
  }

  /** All of it. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Leaves a gap, so that the next thing lies at the start of a cache line. */
  align(): number {
    this.#reserve(ALIGNMENT);
    this.#end = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    return this.#end;
  }

  word(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.#end, value);
    this.#end += 1;
  }

  float(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#end, value, true);
    this.#end += 4;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  #reserve(byteCount: number): void {
    if (this.#end + byteCount <= this.#bytes.length) return;
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
