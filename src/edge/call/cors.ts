import { cors } from "@connectrpc/connect";
import type { Headers } from "../../http2/stream.ts";

type Field = readonly [name: string, value: string];

const EXPOSED = [
  ...cors.exposedHeaders,
  "retry-after",
  "www-authenticate",
  "x-request-id",
  "traceresponse",
  "inference-header-content-length",
].join(", ");
const ALLOWED_METHODS = [...cors.allowedMethods, "OPTIONS"].join(", ");
const ALWAYS_ALLOWED = [...cors.allowedHeaders, "authorization", "x-request-id", "traceparent", "tracestate"];
const NO_FIELDS: readonly Field[] = [];
const PREFLIGHT_SECONDS = "7200";
const FIELD_NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z, -]{1,4096}$/;

/** The fields that let a page of this origin read a response and how long it took; none where no origin was sent or it is not allowed. */
export function corsFields(headers: Headers, origins: readonly string[]): readonly Field[] {
  const origin = headers.get("origin");
  if (origin === undefined) return NO_FIELDS;
  if (origins.includes("*")) {
    return [
      ["access-control-allow-origin", "*"],
      ["access-control-expose-headers", EXPOSED],
      ["timing-allow-origin", "*"],
    ];
  }
  if (!origins.includes(origin)) return [["vary", "origin"]];
  return [
    ["access-control-allow-origin", origin],
    ["access-control-expose-headers", EXPOSED],
    ["timing-allow-origin", origin],
    ["vary", "origin"],
  ];
}

/** True for the request by which a browser asks before it sends another (Fetch standard, CORS-preflight). */
export function isPreflight(method: string, headers: Headers): boolean {
  return method === "OPTIONS" && headers.get("access-control-request-method") !== undefined;
}

/** The answer to a preflight: also the fields that the page asks for, since metadata may have any name. */
export function preflightFields(headers: Headers, origins: readonly string[]): readonly Field[] {
  const fields = corsFields(headers, origins);
  if (!fields.some(([name]) => name === "access-control-allow-origin")) return fields;
  const asked = headers.get("access-control-request-headers") ?? "";
  const names = FIELD_NAMES.test(asked) ? asked.split(",").map((name) => name.trim()) : [];
  const allowed = new Set([...ALWAYS_ALLOWED.map((name) => name.toLowerCase()), ...names.filter(Boolean)]);
  return [
    ...fields,
    ["access-control-allow-methods", ALLOWED_METHODS],
    ["access-control-allow-headers", [...allowed].join(", ")],
    ["access-control-max-age", PREFLIGHT_SECONDS],
  ];
}
