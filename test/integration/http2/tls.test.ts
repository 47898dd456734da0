import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { expect, test } from "vitest";
import { createHttp2Engine } from "../../../src/http2/engine.ts";
import type { ServerStream } from "../../../src/http2/stream.ts";
import { echo } from "../../support/servers/http2-server.ts";

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));

test("over TLS with ALPN a large echo is whole, and the stream knows that it is encrypted", async () => {
  const seen: ServerStream[] = [];
  const engine = createHttp2Engine({
    handler: (stream) => {
      seen.push(stream);
      echo(stream);
    },
  });
  const server = tls.createServer(
    { cert: fixture("localhost-cert.pem"), key: fixture("localhost-key.pem"), ALPNProtocols: ["h2"] },
    (socket) => engine.accept(socket),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = http2.connect(`https://localhost:${port}`, { ca: fixture("localhost-cert.pem") });
  const body = Buffer.alloc(3_000_000, "some body ");
  const call = client.request({ ":method": "POST", ":path": "/large" });
  call.end(body);
  const pieces: Buffer[] = [];
  call.on("data", (piece: Buffer) => pieces.push(piece));
  await once(call, "end");
  expect(Buffer.concat(pieces).equals(body)).toBe(true);
  expect(seen[0]).toMatchObject({
    encrypted: true,
    httpVersion: 2,
    authority: `localhost:${port}`,
    remoteAddress: "127.0.0.1",
  });
  const closed = once(client, "close");
  const drained = engine.drain();
  await closed;
  await drained;
  server.close();
  await once(server, "close");
  expect(engine.counters).toMatchObject({ connectionsOpen: 0, streamsCompleted: 1 });
});
