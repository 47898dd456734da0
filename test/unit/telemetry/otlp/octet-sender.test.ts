import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { expect, test } from "vitest";
import { ExportHealth } from "../../../../src/telemetry/otlp/export-health.ts";
import { OctetSender, type WrittenRequest } from "../../../../src/telemetry/otlp/octet-sender.ts";
import { addSentSpans, type SentSpan } from "../../../../src/telemetry/otlp/sent-span.ts";
import { SpanExport } from "../../../../src/telemetry/otlp/span-export.ts";
import type { SpanRecord, StageRecord } from "../../../../src/telemetry/traces/span-record.ts";

const RESOURCE = resourceFromAttributes({ "service.name": "scores" });

function stage(name: string): StageRecord {
  return {
    name,
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_001,
    links: [],
    droppedLinks: 0,
    error: "",
  };
}

/** A span and three stages. */
function call(number: number): SpanRecord {
  return {
    ...stage("call"),
    traceId: number.toString(16).padStart(32, "a"),
    spanId: `${"b".repeat(15)}0`,
    traceState: "",
    parentId: "",
    isParentRemote: false,
    kind: "server",
    attributes: { number },
    stages: ["decode", "enqueue", "run"].map(stage),
  };
}

/** What OpenTelemetry's own exporter would send of these calls. */
function request(from: number, until: number): WrittenRequest {
  const spans: SentSpan[] = [];
  for (let number = from; number < until; number++) addSentSpans(call(number), RESOURCE, spans);
  return { octets: ProtobufTraceSerializer.serializeRequest(spans)!, count: spans.length };
}

function opened(maxBatchSize: number) {
  const sent: WrittenRequest[] = [];
  const waiting: (() => void)[] = [];
  const delegate = {
    export(request: WrittenRequest, done: (result: { code: number }) => void) {
      sent.push(request);
      waiting.push(() => done({ code: 0 }));
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    setMetrics() {},
  };
  const tell = () => {};
  const log = { debug: tell, info: tell, warn: tell, error: tell, isLevelEnabled: () => true };
  const health = new ExportHealth("span", log);
  const limits = { scheduleDelayMs: 60_000, maxQueueSize: 1_000, maxBatchSize, timeoutMs: 60_000 };
  const sink = new SpanExport(new OctetSender(delegate, RESOURCE), limits, health);
  /** Lets what was sent be answered until nothing is on its way. */
  const answerAll = async () => {
    const isDone = sink.flush();
    while (health.exported < sent.reduce((sum, { count }) => sum + count, 0)) {
      waiting.shift()?.();
      await new Promise(setImmediate);
    }
    await isDone;
  };
  return { sink, sent, health, answerAll };
}

const plain = (requests: readonly WrittenRequest[]) =>
  requests.map(({ octets, count }) => ({ octets: Buffer.from(octets).toString("hex"), count }));

test("a call's spans go together, and a batch has as many calls as it has room for", async () => {
  const { sink, sent, health, answerAll } = opened(10);
  for (let number = 0; number < 5; number++) sink.take(call(number));
  await answerAll();
  expect(plain(sent)).toEqual(plain([request(0, 2), request(2, 4), request(4, 5)]));
  expect(health).toMatchObject({ exported: 20, failed: 0, dropped: 0 });
});

test("a call that has more spans than a batch goes alone", async () => {
  const { sink, sent, answerAll } = opened(1);
  for (let number = 0; number < 3; number++) sink.take(call(number));
  await answerAll();
  expect(plain(sent)).toEqual(plain([request(0, 1), request(1, 2), request(2, 3)]));
});

test("what is on its way stays as it was while further spans are written", async () => {
  const { sink, sent, answerAll } = opened(8);
  for (let number = 0; number < 2; number++) sink.take(call(number));
  expect(sent).toHaveLength(1);
  for (let number = 2; number < 9; number++) sink.take(call(number));
  expect(plain(sent)).toEqual(plain([request(0, 2)]));
  await answerAll();
  expect(plain(sent)[0]).toEqual(plain([request(0, 2)])[0]);
  expect(sent.map(({ count }) => count)).toEqual([8, 8, 8, 8, 4]);
});
