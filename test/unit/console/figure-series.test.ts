import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { drawnSeconds, FigureSeries, MOST_POINTS, quantile } from "../../../console/figures/series.ts";
import { WatchFiguresResponseSchema } from "../../../gen/assay/v1/console_service_pb.ts";

const at = (seconds: number, init: MessageInitShape<typeof WatchFiguresResponseSchema> = {}) =>
  create(WatchFiguresResponseSchema, {
    takenAt: timestampFromMs(seconds * 1000),
    durationBounds: [0.001, 0.01],
    ...init,
  });
const iris = (answered: bigint, queueSeconds = 0) => ({
  modelName: "iris",
  modelVersion: "1",
  answered,
  rows: answered * 2n,
  stages: { queue: queueSeconds },
  durations: { counts: [answered, 0n, 0n] },
});

test("rates are differences of counts over the time between two messages", () => {
  const series = new FigureSeries();
  series.take(at(10, { models: [iris(100n, 1)] }));
  expect(series.of("iris")).toEqual([]);
  series.take(at(12, { models: [iris(120n, 1.1)] }));
  expect(series.of("iris")[0]).toMatchObject({ at: 12, answeredRate: 10, rowRate: 20 });
  expect(series.of("iris")[0]!.stageMs.queue).toBeCloseTo(5);
  expect(series.of("")[0]).toMatchObject({ answeredRate: 10 });
});

test("a version that is left out has done nothing, and a server that began anew has not done less than nothing", () => {
  const series = new FigureSeries();
  series.take(at(1, { models: [iris(50n)] }));
  series.take(at(2));
  expect(series.of("iris").at(-1)).toMatchObject({ answeredRate: 0, medianMs: Number.NaN });
  series.take(at(3, { models: [iris(2n)] }));
  expect(series.of("iris").at(-1)).toMatchObject({ answeredRate: 0 });
});

test("errors of the server are those of all calls, for malformed ones reach no model", () => {
  const series = new FigureSeries();
  const protocols = (count: bigint) => [
    { protocol: "grpc", succeeded: 1n, failures: { INVALID_REQUEST: count } },
    { protocol: "http", failures: { INVALID_REQUEST: count, "HTTP 415": 1n } },
  ];
  series.take(at(1, { protocols: protocols(0n) }));
  series.take(at(3, { protocols: protocols(4n) }));
  expect(series.of("")[0]).toMatchObject({
    failedRate: 4,
    failureRates: { INVALID_REQUEST: 4, "HTTP 415": 0 },
  });
});

test("only the last minutes are kept", () => {
  const series = new FigureSeries();
  for (let second = 0; second < MOST_POINTS + 50; second++) series.take(at(second));
  expect(series.of("")).toHaveLength(MOST_POINTS);
  expect(series.of("").at(-1)!.at).toBe(MOST_POINTS + 49);
});

test("a chart of one moment, or of none, reaches over a minute, and one of many over all", () => {
  expect(drawnSeconds([100], 500)).toEqual([40, 100]);
  expect(drawnSeconds([], 500)).toEqual([440, 500]);
  expect(drawnSeconds([90, 100], 500)).toEqual([40, 100]);
  expect(drawnSeconds([10, 60, 100], 500)).toEqual([10, 100]);
});

test("a quantile lies within its range, and beyond the last bound at it", () => {
  expect(quantile([0, 10, 0], [1, 2], 0.5)).toBe(1.5);
  expect(quantile([0, 0, 4], [1, 2], 0.99)).toBe(2);
  expect(quantile([0, 0, 0], [1, 2], 0.5)).toBeNaN();
});
