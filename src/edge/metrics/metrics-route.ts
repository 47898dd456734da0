/** `GET /metrics`: what the server counts, in the text that Prometheus reads, or OpenMetrics where that is asked for. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Caller, shownCaller } from "../../registry/caller.ts";
import type { MetricFamily } from "../../telemetry/metric-text.ts";
import { metricText, OPEN_METRICS_TYPE, PROMETHEUS_TYPE } from "../../telemetry/metric-text.ts";
import { errorRow } from "../call/error-table.ts";
import type { PlainRoute } from "../plain/plain-http.ts";

/** Who reads: `/metrics` from scrape to scrape, or `WatchFigures`, which looks in between and takes nothing from it. */
export type MetricReader = "scrape" | "watch";

/** What gives families, asked for each scrape and each look. */
export type MetricSource = (reader: MetricReader) => readonly MetricFamily[];

/** Makes the families of all edges of those of this one. */
export type GatherMetrics = (
  own: readonly MetricFamily[],
  reader: MetricReader,
) => Promise<readonly MetricFamily[]>;

/**
 * The row of `/metrics`; `gather` undefined: this edge is the only one. `isOpen`: whoever brings no key reads it too. Names of models stand in
 * it, so that whoever reads it knows of all.
 */
export function metricsRoute(
  own: MetricSource,
  gather: GatherMetrics | undefined,
  isOpen: boolean,
): PlainRoute {
  return {
    pattern: "/metrics",
    methods: ["GET", "HEAD"],
    isOpen,
    async handle({ headers, call: { caller } }) {
      if (!isOpen && !caller.readsMetrics) throw mayNotRead(caller);
      const contentType = formatOf(headers.get("accept") ?? "");
      const families = gather === undefined ? own("scrape") : await gather(own("scrape"), "scrape");
      const text = metricText(families, contentType);
      return { status: 200, body: Buffer.from(text), contentType };
    },
    errorResponse: ({ reason, message }) => ({ status: errorRow(reason).httpStatus, body: { message } }),
  };
}

/** The refusal of a caller who may not know what the server counts. */
export function mayNotRead(caller: Caller): AssayError {
  return new AssayError(
    Reason.PERMISSION_DENIED,
    `${shownCaller(caller)} may not read the metrics; that takes "metrics": true in its line of the keys, or in the token's claim assay_metrics`,
  );
}

/** The format that a scraper asks for, by the weights that it gives them; Prometheus' own text where it does not say. */
export function formatOf(accept: string): string {
  let format = PROMETHEUS_TYPE;
  let weight = 0;
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const offered = OFFERS.find((offer) => offer.types.includes(type));
    if (offered === undefined) continue;
    const version = parameters.find((parameter) => parameter.startsWith("version="));
    if (type === "application/openmetrics-text" && version !== undefined && version !== "version=1.0.0")
      continue;
    const given = parameters.find((parameter) => parameter.startsWith("q="));
    const q = given === undefined ? 1 : Number(given.slice(2));
    if (q > weight) {
      weight = q;
      format = offered.contentType;
    }
  }
  return format;
}

const OFFERS = [
  { types: ["application/openmetrics-text"], contentType: OPEN_METRICS_TYPE },
  { types: ["text/plain", "text/*", "*/*"], contentType: PROMETHEUS_TYPE },
];
