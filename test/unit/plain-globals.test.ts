import { afterAll, expect, test } from "vitest";
import { plainGlobals } from "../../src/plain-globals.ts";

const NAMES = ["performance", "Buffer", "process"] as const;
const AS_NODE_MAKES_THEM = NAMES.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)!);

afterAll(() => {
  for (const [at, name] of NAMES.entries()) Object.defineProperty(globalThis, name, AS_NODE_MAKES_THEM[at]!);
});

test.each(NAMES)("%s is the same object as a plain property, which can be replaced as before", (name) => {
  const value = globalThis[name];
  plainGlobals();
  const made = Object.getOwnPropertyDescriptor(globalThis, name);
  expect(made).toEqual({ value, writable: true, configurable: true, enumerable: false });
  expect(globalThis[name]).toBe(value);
});
