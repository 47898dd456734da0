import { type ClientHttp2Session, connect } from "node:http2";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { type RawConnection, rawConnection } from "../../support/clients/raw-connection.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

const DRAIN_LIMIT_MS = 200;

describe.each(["assay", "node"] as const)("drain with %s", (http2Engine) => {
  test("announced, the server is not ready at once and still serves", async () => {
    const { edge, port } = await testedEdge({ http2Engine });
    edge.announceDrain();
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ status: "draining" });
    const predict = await fetch(`http://127.0.0.1:${port}/predict`, {
      method: "POST",
      body: '{"features":[1,2]}',
    });
    expect(await predict.json()).toMatchObject({ scores: [3] });
  });

  test("calls in flight are answered, connections then closed, new ones not taken", async () => {
    const { edge, port, scoring } = await testedEdge({ http2Engine });
    const came = scoring.hangs(2);
    const raw = await predictSlowly(port);
    const session = connect(`http://127.0.0.1:${port}`);
    const answer = predictOver(session);
    await came;
    const goAway = new Promise<number>((resolve) => session.once("goaway", resolve));
    const drained = edge.drain(5000);
    expect(await goAway).toBe(0);
    scoring.release();
    expect(await drained).toBe(true);
    expect(await answer).toMatchObject({ scores: [7] });
    const text = (await raw.closed()).toString();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text.toLowerCase()).toContain("connection: close");
    await expect(rawConnection(port)).rejects.toThrow("ECONNREFUSED");
  });

  test("a health watch is sent NOT_SERVING when the end is announced, and is served on", async () => {
    const { edge, port } = await testedEdge({ http2Engine });
    const { client, updates } = await watchHealth(port);
    edge.announceDrain();
    expect((await updates.next()).value).toMatchObject({ status: 2 });
    expect((await client.check({ service: "" })).status).toBe(2);
    const ended = updates.next();
    const drained = edge.drain(5000);
    await expect(ended).rejects.toMatchObject({ code: Code.Unavailable });
    expect(await drained).toBe(true);
  });

  test("a health watch is sent NOT_SERVING and ends at once, and does not hold the drain up", async () => {
    const { edge, port } = await testedEdge({ http2Engine });
    const { updates } = await watchHealth(port);
    const last = updates.next();
    const drained = edge.drain(5000);
    expect((await last).value).toMatchObject({ status: 2 });
    await expect(updates.next()).rejects.toMatchObject({ code: Code.Unavailable });
    expect(await drained).toBe(true);
  });

  test("what is left at the limit is reset, and its call hears of it", async () => {
    const { edge, port, scoring } = await testedEdge({ http2Engine });
    const came = scoring.hangs();
    const session = connect(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    const answer = predictOver(session).catch(() => "reset");
    await came;
    expect(await edge.drain(DRAIN_LIMIT_MS)).toBe(false);
    expect(scoring.hanging.size).toBe(0);
    expect(await answer).toBe("reset");
  });
});

/** A watch that was told SERVING. */
async function watchHealth(port: number) {
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
  const updates = client.watch({ service: "" })[Symbol.asyncIterator]();
  expect((await updates.next()).value).toMatchObject({ status: 1 });
  return { client, updates };
}

async function predictSlowly(port: number): Promise<RawConnection> {
  const raw = await rawConnection(port);
  const body = '{"features":[1]}';
  raw.write(`POST /predict/hang HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  return raw;
}

function predictOver(session: ClientHttp2Session): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ":path": "/predict/hang" });
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    stream.once("error", reject);
    stream.once("close", () =>
      text === "" ? reject(new Error("closed without an answer")) : resolve(JSON.parse(text)),
    );
    stream.end('{"features":[1]}');
  });
}
