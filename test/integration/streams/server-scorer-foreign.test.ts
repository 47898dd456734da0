import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net, { type AddressInfo, type Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { openServerScorer } from "../../../src/scorer/remote/server-scorer.ts";
import { startEdge } from "../../support/servers/fake-services.ts";
import { freePort } from "../../support/servers/server-process.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");
const TLS = { cert: fixture("localhost-cert.pem"), key: fixture("localhost-key.pem") };

async function portOf(server: Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

async function refusal(
  url: string,
  more: { connectTimeoutMs?: number; certificateAuthorities?: string } = {},
) {
  const opened = openServerScorer({ url, modelName: "iris", retryTimeoutMs: 300, ...more });
  const error = await opened.then(
    (scorer) => scorer.close(),
    (thrown: unknown) => thrown as Error & { reason: Reason },
  );
  expect(error).toMatchObject({ name: "AssayError", reason: Reason.SERVER_UNREACHABLE });
  return error!.message;
}

test("a port where nothing listens", async () => {
  expect(await refusal(`http://127.0.0.1:${await freePort()}`)).toMatch(
    /nothing listens there \(ECONNREFUSED\)/,
  );
});

test("a name that does not exist", async () => {
  expect(await refusal("http://no-such-host.invalid:8080")).toMatch(
    /no-such-host\.invalid cannot be resolved/,
  );
});

test("a server of HTTP/1.1 alone is named with what it answered", async () => {
  const port = await portOf(http.createServer((_, response) => response.end("hello")));
  expect(await refusal(`http://127.0.0.1:${port}`)).toMatch(
    /a server of HTTP\/1\.1 answered \(HTTP\/1\.1 \d{3} /,
  );
});

test("a server that speaks something else is named with its first bytes", async () => {
  const port = await portOf(net.createServer((socket) => socket.end("220 mail.example ESMTP\r\n")));
  expect(await refusal(`http://127.0.0.1:${port}`)).toMatch(/first bytes are 323230206d61696c/);
});

test("a server that says nothing is given up after the connect time-out", async () => {
  const port = await portOf(net.createServer(() => {}));
  expect(await refusal(`http://127.0.0.1:${port}`, { connectTimeoutMs: 100 })).toMatch(
    /no connection within 100 ms/,
  );
});

test("HTTP/2 that is no gRPC is named with status and content type", async () => {
  const server = http2.createServer((_, response) => {
    response.writeHead(404, { "content-type": "text/html" });
    response.end("<h1>not here</h1>");
  });
  expect(await refusal(`http://127.0.0.1:${await portOf(server)}`)).toMatch(
    /answered with HTTP status 404 and text\/html; expected gRPC's 200 and application\/grpc/,
  );
});

test("what a server says when it ends a connection is passed on", async () => {
  const server = http2.createServer();
  server.on("session", (session) => session.goaway(11, 0, Buffer.from("it has 10 connections\u0000")));
  expect(await refusal(`http://127.0.0.1:${await portOf(server)}`)).toMatch(
    /the server ended the connection with code 11: it has 10 connections$/,
  );
});

test("a proxy whose server is away is waited for", async () => {
  let calls = 0;
  const server = http2.createServer((_, response) => {
    calls++;
    response.writeHead(503, { "content-type": "text/plain" });
    response.end("no healthy upstream");
  });
  expect(await refusal(`http://127.0.0.1:${await portOf(server)}`)).toMatch(/HTTP status 503/);
  expect(calls).toBeGreaterThan(1);
});

test("TLS where cleartext is expected, and the other way round, name the right URL", async () => {
  const encrypted = await startEdge({ tls: TLS });
  onTestFinished(encrypted.edge.close);
  expect(await refusal(`http://localhost:${encrypted.port}`)).toMatch(
    `it speaks TLS there: use https://localhost:${encrypted.port}`,
  );
  const clear = await startEdge({});
  onTestFinished(clear.edge.close);
  expect(await refusal(`https://localhost:${clear.port}`)).toMatch(
    `it speaks no TLS there: use http://localhost:${clear.port}`,
  );
});

test("a certificate that is not trusted, and a server of HTTP/1.1 behind TLS, are named", async () => {
  const { edge, port } = await startEdge({ tls: TLS });
  onTestFinished(edge.close);
  expect(await refusal(`https://localhost:${port}`)).toMatch(
    /certificate is not trusted .*NODE_EXTRA_CA_CERTS/,
  );
  const oldPort = await portOf(https.createServer({ ...TLS, ALPNProtocols: ["http/1.1"] }));
  const message = await refusal(`https://localhost:${oldPort}`, { certificateAuthorities: TLS.cert });
  expect(message).toMatch(/it speaks no HTTP\/2 there/);
});

test("a URL that cannot be right is refused before anything is opened", async () => {
  await expect(openServerScorer({ url: "grpc://localhost:1", modelName: "iris" })).rejects.toMatchObject({
    reason: Reason.CONFIG_INVALID,
  });
});
