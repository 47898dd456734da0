import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { ExportHealth } from "../../../../src/telemetry/otlp/export-health.ts";
import { RecordSender } from "../../../../src/telemetry/otlp/record-sender.ts";
import { SpanExport, type SpanExportLimits } from "../../../../src/telemetry/otlp/span-export.ts";
import type { SpanRecord } from "../../../../src/telemetry/traces/span-record.ts";

type Done = Parameters<SpanExporter["export"]>[1];

const LIMITS: SpanExportLimits = {
  scheduleDelayMs: 60_000,
  maxQueueSize: 10,
  maxBatchSize: 4,
  timeoutMs: 20,
};

function span(name: string): SpanRecord {
  return {
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    traceState: "k=v",
    parentId: "",
    isParentRemote: false,
    name,
    kind: "internal",
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_001,
    attributes: {},
    links: [],
    droppedLinks: 0,
    error: "",
    stages: [],
  };
}

/** An exporter that answers as `answer` says; what it got, and what the log was told. */
function opened(answer: (done: Done) => void, limits: Partial<SpanExportLimits> = {}) {
  const batches: string[][] = [];
  const told: string[] = [];
  const tell = (_: object, message: string) => void told.push(message);
  const log = { debug: tell, info: tell, warn: tell, error: tell, isLevelEnabled: () => true };
  const exporter: SpanExporter = {
    export(spans: ReadableSpan[], done) {
      batches.push(spans.map(({ name }) => name));
      answer(done);
    },
    shutdown: () => Promise.resolve(),
  };
  const health = new ExportHealth("span", log);
  const resource = resourceFromAttributes({});
  const sink = new SpanExport(new RecordSender(exporter, resource), { ...LIMITS, ...limits }, health);
  return { sink, health, batches, told };
}

function take(sink: SpanExport, count: number, from = 0): void {
  for (let at = 0; at < count; at++) sink.take(span(String(from + at)));
}

test("spans go in batches, in their order, and the rest at a flush", async () => {
  const { sink, health, batches } = opened((done) => done({ code: 0 }));
  take(sink, 3);
  expect(batches).toEqual([]);
  take(sink, 2, 3);
  expect(batches).toEqual([["0", "1", "2", "3"]]);
  await sink.flush();
  expect(batches).toEqual([["0", "1", "2", "3"], ["4"]]);
  expect(health).toMatchObject({ exported: 5, failed: 0, dropped: 0 });
});

test("an exporter that does not answer lets a bounded number wait, and what is dropped is counted and told once", async () => {
  const { sink, health, batches, told } = opened(() => {}, { timeoutMs: 1e6 });
  for (let at = 0; at < 100; at++) take(sink, 5);
  expect(batches).toHaveLength(1);
  // Four are on their way, ten wait.
  expect(health).toMatchObject({ exported: 0, failed: 0, dropped: 500 - 4 - 10 });
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("OTEL_BSP_MAX_QUEUE_SIZE");
});

test("an exporter that refuses or is silent is told of once, and once more when it works again", async () => {
  let answer = (done: Done): void =>
    done({ code: 1, error: new Error("connect ECONNREFUSED 127.0.0.1:4318") });
  const { sink, health, told } = opened((done) => answer(done));
  take(sink, 4);
  await sink.flush();
  answer = () => {};
  take(sink, 4);
  await sink.flush();
  expect(health).toMatchObject({ exported: 0, failed: 8 });
  expect(told).toHaveLength(1);
  answer = (done) => done({ code: 0 });
  take(sink, 1);
  await sink.flush();
  expect(health.exported).toBe(1);
  expect(told).toHaveLength(2);
  expect(sink.families()[0]!.samples).toEqual([
    [{ outcome: "exported" }, 1],
    [{ outcome: "failed" }, 8],
    [{ outcome: "dropped" }, 0],
  ]);
});

test("an exporter that throws ends nothing", async () => {
  const { sink, health } = opened(() => {
    throw new Error("a bug");
  });
  take(sink, 4);
  await sink.flush();
  expect(health.failed).toBe(4);
  await sink.close();
  take(sink, 4);
  expect(health.failed).toBe(4);
});
