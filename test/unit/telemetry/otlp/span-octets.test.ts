import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import fc from "fast-check";
import { expect, test } from "vitest";
import { OctetWriter } from "../../../../src/telemetry/otlp/octet-writer.ts";
import { RequestFrame } from "../../../../src/telemetry/otlp/request-frame.ts";
import { addSentSpans, type SentSpan } from "../../../../src/telemetry/otlp/sent-span.ts";
import { writeSpans } from "../../../../src/telemetry/otlp/span-octets.ts";
import type { SpanPlace, SpanRecord, StageRecord } from "../../../../src/telemetry/traces/span-record.ts";

const RESOURCE = resourceFromAttributes({ "service.name": "scores", "process.pid": 4711 });

/** What OpenTelemetry's own exporter would send. */
function theirs(records: readonly SpanRecord[], resource: Resource): Buffer {
  const spans: SentSpan[] = [];
  for (const record of records) addSentSpans(record, resource, spans);
  return Buffer.from(ProtobufTraceSerializer.serializeRequest(spans)!);
}

function ours(records: readonly SpanRecord[], resource: Resource, writer = new OctetWriter(1)): Buffer {
  for (const record of records) writeSpans(writer, record);
  return new RequestFrame(resource).around(writer.written());
}

const digits = (count: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: count, maxLength: count })
    .map((all) => all.map((one) => one.toString(16)).join(""));
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", "a".repeat(127), "a".repeat(128), "ä".repeat(64), "\ud800", "x".repeat(3_000)),
);
const number = fc.oneof(
  fc.nat(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, 127, 128, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 63, -(2 ** 63)),
);
const time = fc.oneof(
  fc.double({ min: 0, max: 4e12, noNaN: true }),
  fc.constantFrom(0, 999.9999999, 1_700_000_000_000.25, 1_700_000_000_999.5),
);
const traceState = fc.constantFrom("", "", "vendor=a1,other=b2");
const spanId = digits(15).map((all) => `${all}0`);
const link: fc.Arbitrary<SpanPlace> = fc.record({ traceId: digits(32), spanId: digits(16), traceState });
const told = {
  name: text,
  startMs: time,
  endMs: time,
  links: fc.array(link, { maxLength: 3 }),
  droppedLinks: fc.constantFrom(0, 0, 1, 300),
  error: fc.oneof(fc.constant(""), text),
};
const stage: fc.Arbitrary<StageRecord> = fc.record(told);
const record: fc.Arbitrary<SpanRecord> = fc.record({
  ...told,
  traceId: digits(32),
  spanId,
  traceState,
  parentId: fc.oneof(fc.constant(""), digits(16)),
  isParentRemote: fc.boolean(),
  kind: fc.constantFrom("server" as const, "internal" as const),
  attributes: fc.dictionary(text, fc.oneof(text, number, fc.boolean()), {
    maxKeys: 15,
    noNullPrototype: true,
  }),
  stages: fc.array(stage, { maxLength: 15 }),
});

test("spans have the octets that OpenTelemetry's own exporter writes", () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), (records) => {
      expect(ours(records, RESOURCE).equals(theirs(records, RESOURCE))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

const ONE = fc.sample(record, { numRuns: 1, seed: 7 });

test("so does the resource, whatever detectors and OTEL_RESOURCE_ATTRIBUTES put into it", () => {
  const attributes = {
    name: "ä",
    list: ["a", "b"],
    numbers: [1, 2.5, -3],
    none: [],
    on: true,
    unknown: undefined,
  };
  const resource = resourceFromAttributes(attributes, {
    schemaUrl: "https://opentelemetry.io/schemas/1.40.0",
  });
  const many = resourceFromAttributes(
    Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key.${i}`, i])),
  );
  for (const one of [resource, many, resourceFromAttributes({})])
    expect(ours(ONE, one).equals(theirs(ONE, one))).toBe(true);
});

test("a writer that was cleared writes as a new one", () => {
  const writer = new OctetWriter(1);
  ours(fc.sample(record, 20), RESOURCE, writer);
  writer.clear();
  expect(ours(ONE, RESOURCE, writer).equals(ours(ONE, RESOURCE))).toBe(true);
});
