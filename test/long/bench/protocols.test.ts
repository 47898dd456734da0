import { describe, expect, test } from "vitest";
import { smallRepository } from "../../support/clients/command-process.ts";
import { startTcpProxy } from "../../support/clients/tcp-proxy.ts";
import { benchRun } from "../../support/load/bench-run.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const WAYS = [
  { protocol: "grpc", version: "2" },
  { protocol: "grpc-stream", version: "2" },
  { protocol: "grpc-web", version: "1.1" },
  { protocol: "grpc-web", version: "2" },
  { protocol: "connect", version: "1.1" },
  { protocol: "connect", version: "2" },
  { protocol: "connect-json", version: "1.1" },
  { protocol: "connect-json", version: "2" },
  { protocol: "predict", version: "1.1" },
  { protocol: "predict", version: "2" },
];

const server = await fileServer(smallRepository(), { "max-concurrent-streams": "50" });

describe.each(WAYS)("$protocol over HTTP/$version", ({ protocol, version }) => {
  const way = { protocol, "http-version": version };

  test("every call is answered, and its rows are counted", async () => {
    const report = await benchRun({ ...way, server: server.url, rows: "3", concurrency: "6" });
    expect(report).toMatchObject({
      failed: 0,
      errors: [],
      unanswered: 0,
      run: { rows_per_call: 3, model: "iris" },
    });
    expect(report.calls).toBeGreaterThan(0);
    expect(report.rows).toBe(report.calls * 3);
    expect(report.latency_ms.max).toBeGreaterThan(0);
  });

  test("an open loop makes the calls that are due", async () => {
    const report = await benchRun({
      ...way,
      server: server.url,
      rate: "100",
      concurrency: "6",
      duration: "0.1",
    });
    expect(report.calls + report.open_loop!.never_begun).toBe(10);
    expect(report.failed).toBe(0);
  });

  test("a model that is not there is told by reason, with the server's message", async () => {
    const request = { model_name: "irs", features: [1, 2, 3, 4] };
    const report = await benchRun({ ...way, server: server.url, duration: "0.05" }, request);
    const code = way.protocol === "predict" ? "HTTP 404" : "NOT_FOUND";
    const message = 'the server has no model "irs"; did you mean "iris"?';
    expect(report.errors).toEqual([{ code, reason: "MODEL_NOT_FOUND", message, count: report.calls }]);
    expect(report).toMatchObject({ error_rate: 1, calls_per_second: 0 });
  });

  test("a request that does not fit is told by reason", async () => {
    const request = { model_name: "iris", features: [1] };
    const { errors } = await benchRun({ ...way, server: server.url, duration: "0.05" }, request);
    const code = way.protocol === "predict" ? "HTTP 422" : "INVALID_ARGUMENT";
    expect(errors).toMatchObject([{ code, reason: "INVALID_REQUEST" }]);
    expect(errors[0]!.message).toMatch(/features/);
  });

  test("connections that are cut fail their calls and are opened again", async () => {
    const proxy = await startTcpProxy(server.app.address.port, (connection) =>
      // The first one or two ask for the model.
      connection > 1 && connection < 4 ? { bytes: 3000, ending: "cut" } : undefined,
    );
    const report = await benchRun({
      ...way,
      server: proxy.url,
      connections: "4",
      concurrency: "4",
      duration: "0.6",
    });
    await proxy.close();
    expect(report.errors).toMatchObject([{ code: "UNAVAILABLE", reason: "SERVER_UNREACHABLE" }]);
    expect(report.failed).toBeLessThanOrEqual(2 * 4);
    expect(report.calls).toBeGreaterThan(report.failed);
    expect(proxy.connectionCount).toBeGreaterThanOrEqual(7);
  });
});

test("messages larger than a window pass, with either engine of the server", async () => {
  const features = Array.from({ length: 4 }, (_, i) => i);
  const nodeServer = await startAppServer(smallRepository(), {}, { http2Engine: "node" });
  for (const { url } of [server, nodeServer]) {
    for (const protocol of ["grpc", "grpc-stream"]) {
      // 100 KiB each, where 64 KiB are taken at first.
      const flags = { server: url, protocol, rows: "6400", concurrency: "3" };
      const report = await benchRun(flags, { model_name: "iris", features });
      expect(report.errors.filter(({ reason }) => reason !== "QUEUE_FULL")).toEqual([]);
      expect(report.rows).toBeGreaterThan(0);
    }
  }
  await nodeServer.app.close();
});

test("more calls on a connection than the server takes are refused before the first, with what to do", async () => {
  await expect(benchRun({ server: server.url, concurrency: "51" })).rejects.toThrow(
    /takes 50 calls at a time on one connection, and 51 were to be in flight on each: raise --connections/,
  );
});

test("a server or a model that is not there ends the run before the first call", async () => {
  await expect(benchRun({ server: "127.0.0.1:1", model: "iris" })).rejects.toThrow("nothing listens there");
  await expect(benchRun({ server: "127.0.0.1:1" }, { features: [1] })).rejects.toThrow(
    "nothing listens there",
  );
  await expect(benchRun({ server: server.url, model: "irs" })).rejects.toThrow('no model "irs"');
});
