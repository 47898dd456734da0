import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  BINARY_PAYLOADS,
  type DecodeCase,
  decodeCase,
  JSON_PAYLOADS,
  type Payload,
} from "../../fuzz/decode-case.ts";
import { mutatedCase } from "../../fuzz/decode-mutation.ts";
import { type DecodeTarget, startDecodeTarget } from "../../fuzz/decode-run.ts";
import { FOREIGN_BODIES, foreignCase } from "../../fuzz/foreign-case.ts";
import { delimited } from "../../support/clients/wire-octets.ts";

/** Of the processor, not of the clock: 50 ms is what `npm run fuzz -- --corpus` shows on a free machine, collections apart. */
const MAX_HELD_MS = 400;
const MIB = 1_048_576;

/** A legal Predict that weighs 16 MiB, and 16 KiB as gzip: the schema does not have most of it. */
function heavyLegal(): DecodeCase {
  const features = delimited(4, Buffer.from(new Float32Array([5.1, 3.5, 1.4, 0.2]).buffer));
  const unknown = delimited(999, Buffer.alloc(16 * MIB - 100));
  return {
    name: "legal",
    isHttp2: false,
    method: "POST",
    path: "/assay.v1.ScoringService/Predict",
    headers: { "content-type": "application/proto", "content-encoding": "gzip" },
    body: gzipSync(Buffer.concat([delimited(1, Buffer.from("iris")), features, unknown])),
  };
}

describe("a server of its own process", () => {
  let target: DecodeTarget;
  beforeAll(async () => {
    target = await startDecodeTarget({ "max-request-memory-bytes": String(512 * MIB) });
  });
  afterAll(() => target.stop());

  // A few of many, each in another form; all of them in every form are in `npm run fuzz -- --corpus`.
  test.each<[string, string, readonly Payload[]]>([
    ["empty inputs", "connect", BINARY_PAYLOADS],
    ["axes", "grpc", BINARY_PAYLOADS],
    ["values of a list in a row", "stream", BINARY_PAYLOADS],
    ["unknown fields", "rows", BINARY_PAYLOADS],
    ["empty output names", "web", BINARY_PAYLOADS],
    ["zeros", "get", BINARY_PAYLOADS],
    ["inputs that are numbers", "plain", JSON_PAYLOADS],
    ["rows that are lists", "grpc", JSON_PAYLOADS],
    ["a long number", "grpc", JSON_PAYLOADS],
    ["deep objects", "plain", JSON_PAYLOADS],
    ["unknown members", "connect", JSON_PAYLOADS],
  ])(
    "16 MiB of %s by way of %s hold the event loop no longer than a moment",
    async (name, form, payloads) => {
      const payload = payloads.find((one) => one.name === name)!;
      const one = decodeCase(payload, form) ?? decodeCase(payload, "connect")!;
      const { status, report } = await target.run(one);
      expect(status).not.toMatch(/^5|grpc 13/);
      expect(report.heldMs).toBeLessThan(MAX_HELD_MS);
    },
  );

  // Of the forms of other suites: what is long and legal, and what grew with rows × names.
  test.each([
    "v1: objects of inputs with names of their own",
    "v1: inputs with names of their own",
    "v1: one row of all inputs, the rest of none",
    "v1: rows of octets that are no text",
    "v1: rows of unknown columns",
    "v1: one row of whole numbers",
    "v1 inputs: 500 columns",
    "MLflow: split of 500 columns",
    "MLflow: split with a header of the most names",
    "MLflow: split of inputs under one name",
    "CSV: rows",
    "CSV: numbers of a mebibyte that are none",
    "/predict: rows of 500 columns",
    "infer: numbers",
    "infer binary: texts",
  ])(
    "%s hold the event loop no longer than a moment",
    async (name) => {
      const body = FOREIGN_BODIES.find((one) => one.name === name)!;
      const { status, report } = await target.run(foreignCase(body, true));
      expect(status).not.toMatch(/^5/);
      expect(report.heldMs).toBeLessThan(MAX_HELD_MS);
    },
    30_000,
  );

  test("damaged requests are answered, never as the server's fault", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      expect((await target.run(mutatedCase(seed))).report.heldMs, `seed ${seed}`).toBeLessThan(MAX_HELD_MS);
    }
  });

  test("24 legal calls at once of 16 MiB in gzip are all answered, and never decompressed together", async () => {
    const one = heavyLegal();
    const before = (await target.report()).rssBytes;
    const { statuses, report } = await target.runAtOnce(new Array(24).fill(one));
    expect(new Set(statuses)).toEqual(new Set(["200"]));
    expect(report.heldMs).toBeLessThan(MAX_HELD_MS);
    expect(report.rssBytes - before).toBeLessThan(300 * MIB);
  }, 60_000);
});

describe("a server with a small heap", () => {
  let target: DecodeTarget;
  beforeAll(async () => {
    target = await startDecodeTarget({}, ["--max-old-space-size=96"]);
  });
  afterAll(() => target.stop());

  test("it stays up under heavy requests, refuses by name what it cannot hold, and serves on", async () => {
    const names = [
      "short integers",
      "empty texts",
      "rows of a model",
      "rows of one column",
      "raw octets",
      "features",
    ];
    const heavy = [...BINARY_PAYLOADS, ...JSON_PAYLOADS]
      .filter(({ name }) => names.includes(name))
      .map((payload) => decodeCase(payload, "connect")!);
    const cases = [...heavy, ...heavy];
    const { statuses } = await target.runAtOnce(cases);
    for (const one of statuses) expect(one).toMatch(/^(200|400|413|429)$/);
    const { status, text } = await target.run({ ...heavyLegal(), name: "after" });
    expect(`${status} ${text}`).toMatch(/^200 /);
  }, 120_000);
});
