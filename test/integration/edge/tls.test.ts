import { readFileSync } from "node:fs";
import { type ConnectionOptions, connect } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");
const cert = fixture("localhost-cert.pem");
const key = fixture("localhost-key.pem");

let port: number;
async function start(clientCa?: string, http2Engine: "assay" | "node" = "assay") {
  const tls = { cert, key, ...(clientCa === undefined ? {} : { clientCa }) };
  ({ port } = await testedEdge({ tls, http2Engine, limits: { headerTimeoutMs: 300 } }));
}
describe.each(["assay", "node"] as const)("%s", (http2Engine) => {
  test("both HTTP versions are served on the same port, chosen by ALPN", async () => {
    await start(undefined, http2Engine);
    const baseUrl = `https://localhost:${port}`;
    const nodeOptions = { ca: cert };
    const transports = [
      createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      createConnectTransport({ baseUrl, httpVersion: "2", nodeOptions }),
      createGrpcTransport({ baseUrl, nodeOptions }),
    ];
    for (const transport of transports) {
      const response = await createClient(ScoringService, transport).predict({ features: [1, 2] });
      expect(response.scores).toEqual([3]);
    }
  });

  test("a client certificate is required where an authority is given", async () => {
    await start(cert, http2Engine);
    const baseUrl = `https://localhost:${port}`;
    const client = (nodeOptions: object) =>
      createClient(ScoringService, createGrpcTransport({ baseUrl, nodeOptions }));
    await expect(client({ ca: cert }).predict({ features: [1] })).rejects.toThrow();
    await expect(client({ ca: cert, cert, key }).predict({ features: [1] })).resolves.toMatchObject({
      scores: [1],
    });
  });
});

test("a client without ALPN is told by its first bytes", async () => {
  await start();
  const text = await exchange({}, "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
});

test.each(["assay", "node"] as const)(
  "over TLS a request that is not plain is served between plain ones, read by %s",
  async (http1Requests) => {
    const limits = { headerTimeoutMs: 300 };
    ({ port } = await testedEdge({ tls: { cert, key }, http1Requests, limits }));
    const line = "POST /predict HTTP/1.1\r\nhost: a\r\n";
    const plain = `${line}content-length: 16\r\n\r\n{"features":[1]}`;
    const chunked = `${line}transfer-encoding: chunked\r\n\r\n10\r\n{"features":[2]}\r\n0\r\n\r\n`;
    const last = `${line}connection: close\r\ncontent-length: 16\r\n\r\n{"features":[3]}`;
    const text = await exchange({}, plain + plain + chunked + plain + last);
    expect(text.match(/"scores":\[\d\]/g)?.join()).toBe(
      '"scores":[1],"scores":[1],"scores":[2],"scores":[1],"scores":[3]',
    );
  },
);

test("a request without TLS is told that the port takes TLS only", async () => {
  await start();
  const http1 = await rawConnection(port);
  http1.write("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
  expect((await http1.closed()).toString("latin1")).toMatch(
    /^HTTP\/1\.1 400 [\s\S]*TLS only: use https:\/\//,
  );
  const http2 = await rawConnection(port);
  http2.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  expect((await http2.closed()).toString("latin1")).toContain("TLS only: use https://");
});

test("a TLS handshake on a port without TLS is answered with what no TLS is", async () => {
  ({ port } = await testedEdge({ limits: { headerTimeoutMs: 300 } }));
  await expect(exchange({}, "")).rejects.toMatchObject({ code: "ERR_SSL_WRONG_VERSION_NUMBER" });
});

test("a handshake that does not begin or does not go on is closed", async () => {
  await start();
  const begun = await rawConnection(port);
  begun.write("\x16");
  await begun.closed();
  const silent = await rawConnection(port);
  await silent.closed();
  const text = await exchange({}, "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
});

function exchange(options: ConnectionOptions, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "localhost", port, ca: cert, ...options });
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(text));
    socket.write(request);
  });
}
