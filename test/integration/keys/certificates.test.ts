/** Certificates: of callers, who are known by the names in them; and the server's own, which changes while it serves. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { join } from "node:path";
import tls from "node:tls";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { createForwardedLog } from "../../../src/telemetry/log.ts";
import { testFolder } from "../../support/folders.ts";
import { irisFolder, keyFile, keyLine } from "../../support/keys/keyed-server.ts";
import { startAppServer } from "../../support/servers/app-server.ts";

const iris = { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] };
const models = irisFolder();
const fixture = (name: string) => new URL(`../../fixtures/tls/${name}.pem`, import.meta.url);
const pem = (name: string) => readFileSync(fixture(name), "utf8");
/** Whatever the server's own certificate is by now. */
const ca = [pem("localhost-cert"), pem("next-cert")];

/** A server whose certificate lies in a folder of its own, so that it can change. */
async function started(flags: Record<string, string> = {}) {
  const folder = testFolder();
  const [certFile, keyName] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const use = (name: string) => {
    copyFileSync(fixture(`${name}-cert`), certFile);
    copyFileSync(fixture(`${name}-key`), keyName);
  };
  use("localhost");
  const lines: Record<string, unknown>[] = [];
  const log = createForwardedLog("info", {}, (line) => lines.push(JSON.parse(line)));
  const server = await startAppServer(
    models,
    { "tls-cert": certFile, "tls-key": keyName, ...flags },
    { log },
  );
  onTestFinished(() => server.app.close());
  const { port } = server.app.address;
  return { app: server.app, baseUrl: `https://localhost:${port}`, port, lines, use, certFile };
}

const client = (name: string) => ({ ca, cert: pem(`${name}-cert`), key: pem(`${name}-key`) });

test("a client's certificate says who calls, by its alternative names and its common name", async () => {
  const keys = keyFile(
    '{"id": "batch", "certificate": "spiffe://example.com/batch", "models": ["iris"]}',
    '{"id": "bare", "certificate": "bare", "models": ["housing"]}',
    keyLine("the-key", { id: "key", models: ["iris"] }),
  );
  const { baseUrl } = await started({ keys: keys.path, "tls-client-ca": fixture("clients-cert").pathname });
  const outcome = async (name: string, headers: Record<string, string> = {}) => {
    const nodeOptions = client(name);
    const transports = [
      createGrpcTransport({ baseUrl, nodeOptions }),
      createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
    ];
    const calls = transports.map((transport) =>
      createClient(ScoringService, transport)
        .predict(iris, { headers })
        .then(
          () => "served",
          (error) => Code[ConnectError.from(error).code]!,
        ),
    );
    const [first, second] = await Promise.all(calls);
    expect(second).toBe(first);
    return first;
  };
  expect(await outcome("batch")).toBe("served");
  expect(await outcome("bare")).toBe("PermissionDenied");
  // A key says more than the certificate, and a wrong one is no certificate.
  expect(await outcome("bare", { authorization: "Bearer the-key" })).toBe("served");
  expect(await outcome("batch", { authorization: "Bearer wrong" })).toBe("Unauthenticated");
  keys.write('{"id": "bare", "certificate": "batch", "models": ["iris"]}');
  await vi.waitFor(async () => expect(await outcome("bare")).toBe("Unauthenticated"), 15_000);
  expect(await outcome("batch")).toBe("served");
});

test("an open connection serves on while the certificate changes, and the next one gets the new", async () => {
  const { port, baseUrl, use, lines } = await started();
  const seen = () =>
    new Promise<string>((resolve, reject) => {
      const socket = tls.connect({ host: "localhost", port, ca, ALPNProtocols: ["h2"] }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const session = http2.connect(baseUrl, { ca });
  onTestFinished(() => session.destroy());
  const status = () =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ":path": "/livez" });
      stream.on("response", (head) => resolve(head[":status"]));
      stream.on("error", reject);
      stream.resume();
    });
  expect(await status()).toBe(200);
  const before = await seen();
  use("next");
  await vi.waitFor(async () => expect(await seen()).not.toBe(before), 15_000);
  expect(lines.some(({ msg }) => String(msg).includes("certificate was read again"))).toBe(true);
  expect(await status()).toBe(200);
});

test("a pair that does not fit is told, and the one before it serves on; SIGHUP reads it at once", async () => {
  const { app, baseUrl, use, lines, certFile } = await started();
  const call = () =>
    createClient(ScoringService, createGrpcTransport({ baseUrl, nodeOptions: { ca: ca[0] } })).predict(iris);
  writeFileSync(certFile, pem("next-cert"));
  await app.rescan();
  const told = () =>
    lines.filter(({ msg }) => String(msg).includes("is not taken")).map(({ msg }) => String(msg));
  expect(told()).toEqual([expect.stringContaining("is not the key of")]);
  expect((await call()).scores).toHaveLength(1);
  writeFileSync(certFile, "no certificate");
  await app.rescan();
  expect(told()).toHaveLength(2);
  expect((await call()).scores).toHaveLength(1);
  use("next");
  await app.rescan();
  await expect(call()).rejects.toThrow();
});

test("authorities of clients that change hold for connections that come from then on", async () => {
  const folder = testFolder();
  const authorities = join(folder, "ca.pem");
  copyFileSync(fixture("clients-cert"), authorities);
  const { app, baseUrl } = await started({ "tls-client-ca": authorities });
  const call = () =>
    createClient(ScoringService, createGrpcTransport({ baseUrl, nodeOptions: client("batch") })).predict(
      iris,
    );
  expect((await call()).scores).toHaveLength(1);
  copyFileSync(fixture("next-cert"), authorities);
  await app.rescan();
  await expect(call()).rejects.toThrow();
});
