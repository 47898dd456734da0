import { expect, test } from "vitest";
import { readBenchSettings } from "../../../src/config/bench-settings.ts";

function read(flags: Record<string, string> = {}, environment = {}) {
  return readBenchSettings({ flags: new Map(Object.entries(flags)), environment });
}

test("defaults are filled in: gRPC over HTTP/2, one connection, a closed loop of 16", () => {
  expect(read()).toMatchObject({
    server: "http://127.0.0.1:8080",
    protocol: "grpc",
    httpVersion: "2",
    concurrency: 16,
    connections: 1,
    rate: 0,
    durationSeconds: 10,
    warmupSeconds: 1,
    rows: 1,
    maxErrorRate: 0,
    allowRemote: false,
  });
});

test("HTTP/1.1 is the default of the other protocols, with a connection for each call in flight", () => {
  expect(read({ protocol: "predict" })).toMatchObject({
    httpVersion: "1.1",
    concurrency: 16,
    connections: 16,
  });
  expect(read({ protocol: "connect", connections: "4" })).toMatchObject({ concurrency: 4, connections: 4 });
  expect(read({ protocol: "connect", concurrency: "5" })).toMatchObject({ concurrency: 5, connections: 5 });
  expect(read({ protocol: "connect-json", "http-version": "2" })).toMatchObject({
    httpVersion: "2",
    connections: 1,
  });
});

test("with a rate, 256 calls may be in flight; never fewer than connections", () => {
  expect(read({ rate: "0.5" })).toMatchObject({ rate: 0.5, concurrency: 256, connections: 1 });
  expect(read({ connections: "32" })).toMatchObject({ concurrency: 32, connections: 32 });
});

test("the environment stands in for a flag", () => {
  expect(read({}, { ASSAY_DURATION: "2.5", ASSAY_PROTOCOL: "grpc-web" })).toMatchObject({
    durationSeconds: 2.5,
    protocol: "grpc-web",
  });
});

test("every problem is told at once, each with its flag", () => {
  const wrong = () =>
    read({
      rate: "-1",
      duration: "0",
      concurrency: "10001",
      "max-error-rate": "2",
      protocol: "http3",
      rows: "x",
    });
  for (const flag of ["--rate", "--duration", "--concurrency", "--max-error-rate", "--protocol", "--rows"])
    expect(wrong).toThrow(flag);
  expect(() => read({ rate: "1e3" })).toThrow('--rate: "1e3" came; a number such as 2 or 0.5 is expected');
});

test("what cannot go together is refused, with what to do", () => {
  expect(() => read({ "http-version": "1.1" })).toThrow("grpc needs HTTP/2; grpc-web is for HTTP/1.1");
  expect(() => read({ protocol: "inference", "http-version": "1.1" })).toThrow(
    "inference needs HTTP/2; inference-rest is for HTTP/1.1",
  );
  expect(() => read({ connections: "20", concurrency: "10" })).toThrow("raise --concurrency");
  expect(() => read({ protocol: "predict", connections: "2", concurrency: "10" })).toThrow(
    "one call at a time",
  );
});
