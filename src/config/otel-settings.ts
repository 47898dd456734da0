/** OpenTelemetry's own variables, read as its SDK defines them: what is sent by OTLP, and which traces are recorded. */

type Environment = Readonly<Record<string, string | undefined>>;

/** How OTLP is spoken. */
export type OtlpProtocol = "grpc" | "http/protobuf" | "http/json";

/** Which traces are recorded, and how they are sent; all that is not here the exporters read themselves. */
export interface TraceSettings {
  /** By OTLP, or as lines of the log. */
  readonly exporter: "otlp" | "console";
  readonly protocol: OtlpProtocol;
  readonly rule: { readonly ratio: number; readonly isParentBased: boolean; readonly readsContext: boolean };
  /** `OTEL_BSP_…`. */
  readonly scheduleDelayMs: number;
  readonly maxQueueSize: number;
  readonly maxBatchSize: number;
  readonly timeoutMs: number;
}

/** How metrics are sent by OTLP. */
export interface MetricSettings {
  readonly protocol: OtlpProtocol;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** What the variables ask for; undefined is off. */
export interface OtelSettings {
  readonly traces: TraceSettings | undefined;
  readonly metrics: MetricSettings | undefined;
  /** Sentences about values that are not as the SDK defines them, or that Assay has no use for; each is left alone. */
  readonly notices: readonly string[];
}

const PROTOCOLS: readonly string[] = ["grpc", "http/protobuf", "http/json"];
const SAMPLERS: Readonly<
  Record<string, { readonly share: number | "argument"; readonly isParentBased: boolean }>
> = {
  always_on: { share: 1, isParentBased: false },
  always_off: { share: 0, isParentBased: false },
  traceidratio: { share: "argument", isParentBased: false },
  parentbased_always_on: { share: 1, isParentBased: true },
  parentbased_always_off: { share: 0, isParentBased: true },
  parentbased_traceidratio: { share: "argument", isParentBased: true },
};
const DEFAULT_SAMPLER = "parentbased_always_on";

/**
 * Reads the variables. Unlike in the SDK, nothing is sent unless one of them asks for it: an exporter is named, or an endpoint is set.
 * What is malformed is told in `notices`, and the SDK's default holds.
 */
export function readOtelSettings(environment: Environment): OtelSettings {
  if (given(environment, "OTEL_SDK_DISABLED")?.toLowerCase() === "true")
    return { traces: undefined, metrics: undefined, notices: [] };
  const reader = new Reader(environment);
  const tracing = reader.exporters("OTEL_TRACES_EXPORTER", "TRACES", ["otlp", "console", "none"]);
  const metrics = reader.exporters("OTEL_METRICS_EXPORTER", "METRICS", ["otlp", "prometheus", "none"]);
  if (given(environment, "OTEL_LOGS_EXPORTER") === "otlp")
    reader.notices.push(
      "OTEL_LOGS_EXPORTER: logs are not sent by OTLP; they are JSON lines on standard error",
    );
  const exporter = tracing.includes("otlp") ? "otlp" : tracing.includes("console") ? "console" : undefined;
  return {
    traces: exporter === undefined ? undefined : reader.traces(exporter),
    metrics: metrics.includes("otlp") ? reader.metrics() : undefined,
    notices: reader.notices,
  };
}

class Reader {
  readonly notices: string[] = [];
  private readonly environment: Environment;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  exporters(name: string, signal: string, known: readonly string[]): readonly string[] {
    const value = given(this.environment, name);
    if (value === undefined) {
      const endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`];
      return endpoints.some((endpoint) => given(this.environment, endpoint) !== undefined) ? ["otlp"] : [];
    }
    const named = listOf(value);
    for (const one of named) if (!known.includes(one)) this.unknown(name, one, known);
    return named;
  }

  traces(exporter: "otlp" | "console"): TraceSettings {
    const maxQueueSize = this.count("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1);
    return {
      exporter,
      protocol: this.protocol("TRACES"),
      rule: { ...this.sampler(), readsContext: this.readsContext() },
      scheduleDelayMs: this.count("OTEL_BSP_SCHEDULE_DELAY", 5000, 1),
      maxQueueSize,
      maxBatchSize: Math.min(maxQueueSize, this.count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 1)),
      timeoutMs: this.count("OTEL_BSP_EXPORT_TIMEOUT", 30_000, 1),
    };
  }

  metrics(): MetricSettings {
    const intervalMs = this.count("OTEL_METRIC_EXPORT_INTERVAL", 60_000, 1);
    const timeoutMs = Math.min(intervalMs, this.count("OTEL_METRIC_EXPORT_TIMEOUT", 30_000, 1));
    return { protocol: this.protocol("METRICS"), intervalMs, timeoutMs };
  }

  private protocol(signal: string): OtlpProtocol {
    for (const name of [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, "OTEL_EXPORTER_OTLP_PROTOCOL"]) {
      const value = given(this.environment, name);
      if (value === undefined) continue;
      if (PROTOCOLS.includes(value)) return value as OtlpProtocol;
      this.unknown(name, value, PROTOCOLS);
    }
    return "http/protobuf";
  }

  private sampler(): { ratio: number; isParentBased: boolean } {
    const name = given(this.environment, "OTEL_TRACES_SAMPLER") ?? DEFAULT_SAMPLER;
    const found = SAMPLERS[name];
    if (found === undefined) this.unknown("OTEL_TRACES_SAMPLER", name, Object.keys(SAMPLERS));
    const { share, isParentBased } = found ?? SAMPLERS[DEFAULT_SAMPLER]!;
    return { ratio: share === "argument" ? this.ratio() : share, isParentBased };
  }

  private ratio(): number {
    const text = given(this.environment, "OTEL_TRACES_SAMPLER_ARG");
    const ratio = Number(text ?? 1);
    if (ratio >= 0 && ratio <= 1) return ratio;
    this.notices.push(
      `OTEL_TRACES_SAMPLER_ARG: ${shown(text!)} is no share of traces; expected is a number from 0 to 1; 1 holds`,
    );
    return 1;
  }

  private readsContext(): boolean {
    const named = listOf(given(this.environment, "OTEL_PROPAGATORS") ?? "tracecontext,baggage");
    const known = ["tracecontext", "baggage", "none"];
    for (const one of named) if (!known.includes(one)) this.unknown("OTEL_PROPAGATORS", one, known);
    return named.includes("tracecontext");
  }

  private count(name: string, otherwise: number, least: number): number {
    const text = given(this.environment, name);
    if (text === undefined) return otherwise;
    const count = Number(text);
    if (Number.isInteger(count) && count >= least && count <= MOST) return count;
    this.notices.push(
      `${name}: ${shown(text)} is no whole number from ${least} to ${MOST}; ${otherwise}, the default, holds`,
    );
    return otherwise;
  }

  private unknown(name: string, value: string, known: readonly string[]): void {
    this.notices.push(`${name}: ${shown(value)} is left alone; Assay knows ${known.join(", ")}`);
  }
}

/** Node's longest timer. */
const MOST = 2 ** 31 - 1;

function given(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === "" ? undefined : value;
}

function listOf(value: string): string[] {
  return value
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 64));
}
