/** Servers that end with the test, or the test file, that they were started for. */
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterAll, expect, onTestFinished } from "vitest";
import type { Http2Limits } from "../../../src/http2/limits.ts";
import type { StreamHandler } from "../../../src/http2/stream.ts";
import { RawHttp2Client } from "../clients/raw-http2-client.ts";
import { type AppServer, startAppServer } from "./app-server.ts";
import { startEdge } from "./fake-services.ts";
import { echo, type ListeningEngine, listen } from "./http2-server.ts";

/** Serves `handler` until the test has ended, which fails where a socket or a stream is left. */
export async function listening(
  handler: StreamHandler = echo,
  limits: Partial<Http2Limits> = {},
): Promise<ListeningEngine> {
  const server = await listen(handler, { limits });
  onTestFinished(() => server.stop());
  return server;
}

/** The same with a client, whose SETTINGS are `payload`. */
export async function connected(
  handler?: StreamHandler,
  payload?: Buffer,
  limits?: Partial<Http2Limits>,
): Promise<{ server: ListeningEngine; client: RawHttp2Client }> {
  const server = await listening(handler, limits);
  return { server, client: await RawHttp2Client.open(server.port, payload) };
}

/** Both ends of a connection, the server's as `net.Server` makes it; closed when the test has ended. */
export async function socketPair(): Promise<{ client: net.Socket; accepted: net.Socket }> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const connection = once(server, "connection") as Promise<[net.Socket]>;
  const [[accepted]] = await Promise.all([connection, once(client, "connect")]);
  onTestFinished(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { client, accepted };
}

/** An edge over the fakes, closed when the test has ended, which fails where a connection is left. */
export async function testedEdge(
  ...options: Parameters<typeof startEdge>
): Promise<Awaited<ReturnType<typeof startEdge>>> {
  const started = await startEdge(...options);
  onTestFinished(async () => {
    await started.edge.close();
    expect(started.edge.connectionCount).toBe(0);
  });
  return started;
}

/** A whole server, closed when the file's tests have ended; started while the file is read, not in a hook. */
export async function fileServer(...options: Parameters<typeof startAppServer>): Promise<AppServer> {
  const server = await startAppServer(...options);
  afterAll(() => server.app.close());
  return server;
}
