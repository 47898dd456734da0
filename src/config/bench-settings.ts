import { type BenchConfig, BenchConfigSchema } from "../../gen/assay/config/v1/bench_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { readClientKey } from "./client-key.ts";
import { BENCH_FLAGS } from "./flag-table.ts";
import { readSettings, type SettingsSources } from "./read-settings.ts";

/** The ways in which calls are made. */
export type BenchProtocol =
  | "grpc"
  | "grpc-stream"
  | "grpc-web"
  | "connect"
  | "connect-json"
  | "predict"
  | "inference"
  | "inference-rest";

/** Protocols that need HTTP/2. */
const OF_GRPC: ReadonlySet<BenchProtocol> = new Set(["grpc", "grpc-stream", "inference"]);

/** The configuration of `assay bench` with every default filled in; units stand in the names. */
export type BenchSettings = {
  readonly [K in Exclude<keyof BenchConfig, `$${string}` | "protocol" | "httpVersion">]: BenchConfig[K];
} & {
  readonly protocol: BenchProtocol;
  readonly httpVersion: "1.1" | "2";
  /** To call the server with; undefined: none. */
  readonly key?: string | undefined;
};

const DEFAULT_CONCURRENCY = 16;
const DEFAULT_RATED_CONCURRENCY = 256;

/** Reads the configuration: flag, environment, default, in that order. Throws one CONFIG_INVALID that lists every problem. */
export function readBenchSettings(sources: SettingsSources): BenchSettings {
  const { values, problems, origins } = readSettings(BenchConfigSchema, BENCH_FLAGS, sources);
  const config = values as unknown as BenchConfig;
  const all = [...problems];
  const protocol = config.protocol as BenchProtocol;
  const isGrpc = OF_GRPC.has(protocol);
  if (isGrpc && config.httpVersion === "1.1")
    all.push(
      `${origins.httpVersion}: "1.1" came, and ${protocol} needs HTTP/2; ${protocol === "inference" ? "inference-rest" : "grpc-web"} is for HTTP/1.1`,
    );
  const wanted = config.httpVersion === "auto" ? (isGrpc ? "2" : "1.1") : config.httpVersion;
  const httpVersion = wanted as "1.1" | "2";
  const isShared = httpVersion === "2";
  const usual = config.rate > 0 ? DEFAULT_RATED_CONCURRENCY : DEFAULT_CONCURRENCY;
  // Over HTTP/1.1 either number tells the other.
  const byConnections = isShared ? Math.max(usual, config.connections) : config.connections || usual;
  const concurrency = config.concurrency || byConnections;
  const connections = config.connections || (isShared ? 1 : concurrency);
  if (connections > concurrency) {
    all.push(
      `${origins.connections}: ${connections} came, and ${concurrency} calls are in flight at most; a connection without a call does nothing: raise --concurrency`,
    );
  } else if (!isShared && connections !== concurrency) {
    all.push(
      `${origins.connections}: ${connections} came for ${concurrency} calls in flight; HTTP/1.1 carries one call at a time, leave the flag out or use --http-version 2`,
    );
  }
  const key = readClientKey(config.keyFile, origins.keyFile, sources.environment, all);
  if (all.length > 0) throw new AssayError(Reason.CONFIG_INVALID, all.join("\n"));
  return { ...config, protocol, httpVersion, concurrency, connections, key };
}
