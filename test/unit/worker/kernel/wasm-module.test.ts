import { expect, test } from "vitest";
import { FunctionCode, I32, moduleBytes, V128 } from "../../../../src/worker/kernel/wasm-module.ts";

test("an assembled function loops, reads and writes memory", () => {
  // sums(from, to, target): adds the words of a range, from the first behind the other.
  const [from, to, target] = [0, 1, 2];
  const code = new FunctionCode(3);
  const sum = code.local(I32);
  code.until(from, to, () => {
    code.get(sum, from).load("i32.load").op("i32.add").set(sum);
    code.advance(from, 4);
  });
  code.get(target, sum).store("i32.store", 4);
  const { words, run } = instantiate(code, "sums", 3);
  words.set([7, -2, 300], 16);
  run(64, 76, 0);
  expect(words[1]).toBe(305);
  run(64, 64, 0);
  expect(words[1]).toBe(0);
});

test("constants keep their sign and size, and vectors their bytes", () => {
  const code = new FunctionCode(1);
  const vector = code.local(V128);
  [0, 63, 64, -1, -64, -65, 0x7fffffff, -0x80000000].forEach((value, place) => {
    code
      .get(0)
      .i32(value)
      .store("i32.store", place * 4);
  });
  code.v128(Array.from({ length: 16 }, (_, at) => at)).set(vector);
  code.get(0, vector).store("v128.store", 128);
  const { words, run } = instantiate(code, "constants", 1);
  run(0);
  expect([...words.subarray(0, 8)]).toEqual([0, 63, 64, -1, -64, -65, 0x7fffffff, -0x80000000]);
  expect(words[32]).toBe(0x03020100);
  expect(words[35]).toBe(0x0f0e0d0c);
});

function instantiate(code: FunctionCode, name: string, parameterCount: number) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const module = new WebAssembly.Module(moduleBytes([{ name, parameterCount, code }]));
  const { exports } = new WebAssembly.Instance(module, { host: { memory } });
  const run = (exports as Record<string, (...values: number[]) => void>)[name]!;
  return { words: new Int32Array(memory.buffer), run };
}
