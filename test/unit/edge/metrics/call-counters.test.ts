import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { CallCounters } from "../../../../src/edge/metrics/call-counters.ts";
import { metricText, PROMETHEUS_TYPE } from "../../../../src/telemetry/metric-text.ts";

function told(counters: CallCounters): string[] {
  return metricText(counters.families(), PROMETHEUS_TYPE).split("\n");
}

test("calls are told by procedure, protocol, code and reason", () => {
  const counters = new CallCounters((path) => path);
  counters.begun("/a.B/C", "grpc").ended("OK", undefined, 2);
  counters.begun("/a.B/C", "grpc").ended("INVALID_ARGUMENT", Reason.INVALID_REQUEST, 2);
  counters.begun("/a.B/C", "connect");
  const labels = 'rpc_system_name="grpc",rpc_method="a.B/C"';
  const name = "rpc_server_call_duration_seconds_count";
  expect(told(counters)).toEqual(
    expect.arrayContaining([
      `${name}{${labels},rpc_response_status_code="OK"} 1`,
      `${name}{${labels},rpc_response_status_code="INVALID_ARGUMENT",error_type="INVALID_REQUEST"} 1`,
      'assay_calls_open{rpc_system_name="connect",rpc_method="a.B/C"} 1',
      `assay_calls_open{${labels}} 0`,
    ]),
  );
});

test("however many models callers think of, a resource is one series", () => {
  const counters = new CallCounters((path) => (path.startsWith("/predict/") ? "/predict/{model}" : path));
  for (let i = 0; i < 5000; i++)
    counters.begun(`/predict/m${i}`, "http").ended(404, Reason.MODEL_NOT_FOUND, 1);
  const lines = told(counters).filter((line) => line.includes("_count{"));
  expect(lines).toEqual([
    'http_server_request_duration_seconds_count{http_route="/predict/{model}",http_response_status_code="404",error_type="MODEL_NOT_FOUND"} 5000',
  ]);
});

test("a resource that several protocols call is one series", () => {
  const counters = new CallCounters((path) => path);
  counters.begun("/v1", "http").ended(200, undefined, 1);
  counters.begun("/v1", "tfserving").ended(200, undefined, 1);
  counters.begun("/v1", "tfserving");
  const lines = told(counters).filter((line) => /_count\{|calls_open\{/.test(line));
  expect(lines).toEqual([
    'http_server_request_duration_seconds_count{http_route="/v1",http_response_status_code="200"} 2',
    'assay_calls_open{http_route="/v1"} 1',
  ]);
});

test("streams that nobody serves are counted", () => {
  const counters = new CallCounters((path) => path);
  counters.refused(Reason.UNIMPLEMENTED);
  expect(told(counters)).toContain('assay_streams_refused_total{reason="UNIMPLEMENTED"} 1');
});
