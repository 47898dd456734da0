import { expect, test } from "vitest";
import { readOtelSettings } from "../../../src/config/otel-settings.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };

test("nothing is on unless an endpoint or an exporter is named", () => {
  const off = { traces: undefined, metrics: undefined, notices: [] };
  expect(readOtelSettings({})).toEqual(off);
  expect(readOtelSettings({ OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" })).toEqual(off);
  expect(readOtelSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: " " })).toEqual(off);
  expect(readOtelSettings({ ...ENDPOINT, OTEL_SDK_DISABLED: "TRUE" })).toEqual(off);
  const none = { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" };
  expect(readOtelSettings(none)).toEqual(off);
});

test("an endpoint turns on what it is for, and an exporter its signal", () => {
  const on = (environment: Record<string, string>) => {
    const { traces, metrics } = readOtelSettings(environment);
    return [traces?.exporter, metrics !== undefined];
  };
  expect(on(ENDPOINT)).toEqual(["otlp", true]);
  expect(on({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://h" })).toEqual(["otlp", false]);
  expect(on({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://h" })).toEqual([undefined, true]);
  expect(on({ OTEL_TRACES_EXPORTER: "otlp" })).toEqual(["otlp", false]);
  expect(on({ OTEL_TRACES_EXPORTER: "console" })).toEqual(["console", false]);
  expect(on({ OTEL_METRICS_EXPORTER: "prometheus,otlp" })).toEqual([undefined, true]);
  expect(on({ ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" })).toEqual([undefined, true]);
});

test("defaults are the SDK's", () => {
  expect(readOtelSettings(ENDPOINT)).toEqual({
    traces: {
      exporter: "otlp",
      protocol: "http/protobuf",
      rule: { ratio: 1, isParentBased: true, readsContext: true },
      scheduleDelayMs: 5000,
      maxQueueSize: 2048,
      maxBatchSize: 512,
      timeoutMs: 30_000,
    },
    metrics: { protocol: "http/protobuf", intervalMs: 60_000, timeoutMs: 30_000 },
    notices: [],
  });
});

test.each([
  ["always_on", "0.5", 1, false],
  ["always_off", undefined, 0, false],
  ["traceidratio", "0.5", 0.5, false],
  ["traceidratio", undefined, 1, false],
  ["parentbased_always_on", undefined, 1, true],
  ["parentbased_always_off", undefined, 0, true],
  ["parentbased_traceidratio", "0.01", 0.01, true],
] as const)("the sampler %s with %s", (sampler, argument, ratio, isParentBased) => {
  const { traces, notices } = readOtelSettings({
    ...ENDPOINT,
    OTEL_TRACES_SAMPLER: sampler,
    OTEL_TRACES_SAMPLER_ARG: argument,
  });
  expect(traces?.rule).toMatchObject({ ratio, isParentBased });
  expect(notices).toEqual([]);
});

test("a signal's own protocol goes before that of all", () => {
  const { traces, metrics } = readOtelSettings({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json",
  });
  expect([traces?.protocol, metrics?.protocol]).toEqual(["grpc", "http/json"]);
});

test("what is malformed or not known is told, and the default holds", () => {
  const { traces, metrics, notices } = readOtelSettings({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/xml",
    OTEL_TRACES_SAMPLER: "jaeger_remote",
    OTEL_PROPAGATORS: "b3,tracecontext",
    OTEL_BSP_MAX_QUEUE_SIZE: "-1",
    OTEL_METRIC_EXPORT_INTERVAL: "1s",
    OTEL_LOGS_EXPORTER: "otlp",
  });
  expect(traces).toMatchObject({
    protocol: "http/protobuf",
    maxQueueSize: 2048,
    rule: { ratio: 1, isParentBased: true, readsContext: true },
  });
  expect(metrics?.intervalMs).toBe(60_000);
  for (const name of ["PROTOCOL", "SAMPLER", "PROPAGATORS", "MAX_QUEUE_SIZE", "INTERVAL", "LOGS"]) {
    expect(notices.filter((notice) => notice.includes(name)).length, name).toBeGreaterThan(0);
  }
  const { traces: odd, notices: told } = readOtelSettings({
    ...ENDPOINT,
    OTEL_TRACES_SAMPLER: "traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "2",
  });
  expect([odd?.rule.ratio, told.length]).toEqual([1, 1]);
});

test("the batch is never larger than the queue, and a push ends before the next", () => {
  const { traces, metrics } = readOtelSettings({
    ...ENDPOINT,
    OTEL_BSP_MAX_QUEUE_SIZE: "100",
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  });
  expect([traces?.maxBatchSize, metrics?.timeoutMs]).toEqual([100, 1000]);
});
