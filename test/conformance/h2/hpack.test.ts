import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HpackDecoder } from "../../../src/http2/hpack/hpack-decoder.ts";
import { encodeFields } from "../../../src/http2/hpack/hpack-encoder.ts";
import { tool } from "../tool.ts";

let python: ChildProcessWithoutNullStreams;
let lines: Interface;

beforeAll(() => {
  python = spawn(tool("python-hpack"), [new URL("hpack_codec.py", import.meta.url).pathname]);
  python.stderr.pipe(process.stderr);
  lines = createInterface(python.stdout);
});

afterAll(async () => {
  python.stdin.end();
  await once(python, "close");
});

async function ask<T>(question: object): Promise<T> {
  const answer = once(lines, "line");
  python.stdin.write(`${JSON.stringify(question)}\n`);
  return JSON.parse((await answer)[0] as string) as T;
}

const name = fc
  .oneof(
    fc.constantFrom(":path", ":method", "content-type", "grpc-timeout", "cookie", "x-a", "x-b"),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  )
  .filter(
    (n) => !["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].includes(n),
  );
const value = fc.oneof(
  fc.constantFrom("", "POST", "/", "application/grpc", "trailers"),
  fc.uint8Array({ maxLength: 150 }).map((octets) =>
    Buffer.from(octets)
      .toString("latin1")
      .replace(/[\0\r\n]/g, " "),
  ),
);
const block = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 12 });

test("what Python's hpack encodes, with its table as it changes, decodes to the same fields", async () => {
  let connection = 0;
  const step = fc.record({
    fields: block,
    huffman: fc.boolean(),
    table: fc.option(fc.integer({ min: 0, max: 4096 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      const decoder = new HpackDecoder(4096);
      connection++;
      for (const { fields, huffman, table } of steps) {
        const { hex } = await ask<{ hex: string }>({ encode: fields, huffman, table, connection });
        const octets = Buffer.from(hex, "hex");
        const { names, values } = decoder.decode(octets, 0, octets.length, 1 << 20);
        expect(names.map((n, i) => [n, values[i]])).toEqual(fields);
      }
    }),
    { numRuns: 300 },
  );
});

test("what this encoder makes, Python's hpack decodes to the same fields", async () => {
  await fc.assert(
    fc.asyncProperty(block, async (fields) => {
      const { fields: decoded } = await ask<{ fields: [string, string][] }>({
        decode: encodeFields(fields).toString("hex"),
      });
      expect(decoded).toEqual(fields);
    }),
    { numRuns: 500 },
  );
});
