import { expect, test } from "vitest";
import type { Route } from "../../../src/edge/route-table.ts";
import { RouteTable } from "../../../src/edge/route-table.ts";
import { createRouter } from "../../../src/edge/router.ts";
import type { ServerStream } from "../../../src/http2/stream.ts";

const CALL_MS = 3;

/** What the router reads of a stream. */
class Asked {
  readonly method = "POST";
  readonly headers = new Map();
  readonly path: string;
  onCancel: (reason: { kind: "connection-lost" }) => void = () => {};
  resetWith: number | undefined = undefined;

  constructor(path: string) {
    this.path = path;
  }

  reset(code: number): void {
    this.resetWith = code;
  }
}

function busy(): void {
  const until = performance.now() + CALL_MS;
  while (performance.now() < until);
}

function setUp(serve: (stream: Asked) => void) {
  const row = (pattern: string, isProbe: boolean): Route => ({
    pattern,
    methods: ["POST"],
    isProbe,
    servers: [
      (stream) => {
        serve(stream as unknown as Asked);
        return true;
      },
    ],
  });
  const errors: unknown[] = [];
  const log = { error: (fields: unknown) => errors.push(fields) };
  const context = { limits: { maxHeaderListBytes: 16_384 }, corsOrigins: [], log };
  const route = createRouter(new RouteTable([row("/dear", false), row("/livez", true)]), context as never);
  return { route: (stream: Asked) => route(stream as unknown as ServerStream), errors };
}

test("dear calls that come at once are served in turns of the event loop, in order, and a probe between them", async () => {
  const served: string[] = [];
  const done = Promise.withResolvers<void>();
  const streams = Array.from({ length: 20 }, () => new Asked("/dear"));
  const { route } = setUp((stream) => {
    if (stream.path === "/livez") {
      served.push("probe");
      return;
    }
    busy();
    served.push(String(streams.indexOf(stream)));
    if (stream === streams.at(-1)) done.resolve();
  });
  for (const stream of streams) route(stream);
  expect(served.length).toBeLessThan(10);
  route(new Asked("/livez"));
  expect(served.at(-1)).toBe("probe");
  await done.promise;
  expect(served.filter((one) => one !== "probe")).toEqual(streams.map((_, index) => String(index)));
});

test("a call whose caller has gone while it waited is not served, and one that fails ends its own stream", async () => {
  const done = Promise.withResolvers<void>();
  const streams = Array.from({ length: 12 }, () => new Asked("/dear"));
  const served: Asked[] = [];
  const { route, errors } = setUp((stream) => {
    busy();
    served.push(stream);
    if (stream === streams[10]) throw new Error("a bug");
    if (stream === streams[11]) done.resolve();
  });
  for (const stream of streams) route(stream);
  streams[9]!.onCancel({ kind: "connection-lost" });
  await done.promise;
  expect(served).not.toContain(streams[9]);
  expect(streams.map(({ resetWith }) => resetWith).filter((code) => code !== undefined)).toEqual([2]);
  expect(errors).toHaveLength(1);
});
