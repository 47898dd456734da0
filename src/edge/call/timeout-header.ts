import type { Headers } from "../../http2/stream.ts";

/** The longest that Node's timers take: 24.8 days. Longer ones ring at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Milliseconds of a `grpc-timeout` value (gRPC over HTTP/2: up to 8 digits and a unit); undefined where it is malformed. */
export function parseGrpcTimeout(value: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  return match === null ? undefined : Number(match[1]) * UNIT_MS[match[2]!]!;
}

/** Milliseconds of a `connect-timeout-ms` value (up to 10 digits); undefined where it is malformed. */
export function parseConnectTimeout(value: string): number | undefined {
  return /^\d{1,10}$/.test(value) ? Number(value) : undefined;
}

/** Milliseconds of the timeout that a caller gave in either form; undefined where there is none, or a malformed one. */
export function callerTimeout(headers: Headers): number | undefined {
  const grpc = headers.get("grpc-timeout");
  if (grpc !== undefined) return parseGrpcTimeout(grpc);
  const connect = headers.get("connect-timeout-ms");
  return connect === undefined ? undefined : parseConnectTimeout(connect);
}
