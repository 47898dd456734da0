import { expect, test } from "vitest";
import { formatOf } from "../../../../src/edge/metrics/metrics-route.ts";
import { OPEN_METRICS_TYPE, PROMETHEUS_TYPE } from "../../../../src/telemetry/metric-text.ts";

/** Prometheus 2.42's own field. */
const PROMETHEUS =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

test.each([
  ["", PROMETHEUS_TYPE],
  ["*/*", PROMETHEUS_TYPE],
  ["text/html", PROMETHEUS_TYPE],
  [PROMETHEUS, OPEN_METRICS_TYPE],
  ["application/openmetrics-text", OPEN_METRICS_TYPE],
  ["application/openmetrics-text;version=2.0.0, text/plain;q=0.5", PROMETHEUS_TYPE],
  ["application/openmetrics-text;q=0.3, text/plain;q=0.4", PROMETHEUS_TYPE],
])("a scraper that accepts %j gets the format that it likes best", (accept, format) => {
  expect(formatOf(accept)).toBe(format);
});
