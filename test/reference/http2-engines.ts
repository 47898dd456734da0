import type { EdgeOptions } from "../../src/edge/edge.ts";
import { createNodeHttp2Engine } from "./node-http2-engine.ts";

/** The engines that tests compare: Assay's own, and `node:http2` behind the same interface. */
export const HTTP2_ENGINES = ["assay", "node"] as const;
/** One of them. */
export type Http2EngineName = (typeof HTTP2_ENGINES)[number];

/** What makes an edge serve HTTP/2 with that engine. */
export function http2EngineOptions(name: Http2EngineName = "assay"): Pick<EdgeOptions, "http2Engine"> {
  return name === "node" ? { http2Engine: createNodeHttp2Engine } : {};
}
