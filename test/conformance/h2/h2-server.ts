import { once } from "node:events";
import { readFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { createHttp2Engine } from "../../../src/http2/engine.ts";
import { headerBlock, type ServerStream } from "../../../src/http2/stream.ts";

const HEAD = headerBlock([["content-type", "text/plain"]]);
const BODY = "a body of some length, for tests of flow control\n";
const fixture = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));

function answer(stream: ServerStream): void {
  stream.onData = (bytes, end) => {
    stream.consume(bytes.length);
    if (!end) return;
    stream.respond(200, HEAD);
    stream.write(Buffer.from(BODY), true);
  };
}

/** The engine under test: 200 and a body for every request, in cleartext or over TLS with ALPN "h2". */
export async function startH2Server(
  encrypted: boolean,
): Promise<{ port: number; stop(): Promise<void>; errors: unknown[] }> {
  const errors: unknown[] = [];
  const engine = createHttp2Engine({ handler: answer, onHandlerError: (error) => errors.push(error) });
  const server = encrypted
    ? tls.createServer(
        { cert: fixture("localhost-cert.pem"), key: fixture("localhost-key.pem"), ALPNProtocols: ["h2"] },
        (socket) => engine.accept(socket),
      )
    : net.createServer((socket) => engine.accept(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    errors,
    async stop() {
      server.close();
      await engine.close();
      await once(server, "close");
    },
  };
}
