/**
 * The server under test: answers every request with 200 and a body, after the request has ended; `--tls` serves
 * over TLS with ALPN "h2". Prints its port.
 */
import { readFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { createHttp2Engine } from "../../../src/http2/engine.ts";
import { headerBlock } from "../../../src/http2/stream.ts";

const HEAD = headerBlock([["content-type", "text/plain"]]);
const fixture = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));

const engine = createHttp2Engine({
  handler: (stream) => {
    stream.onData = (bytes, end) => {
      stream.consume(bytes.length);
      if (!end) return;
      stream.respond(200, HEAD);
      stream.write(Buffer.from("a body of some length, for tests of flow control\n"), true);
    };
  },
  onHandlerError: (error) => console.error(error),
});
const server = process.argv.includes("--tls")
  ? tls.createServer(
      { cert: fixture("localhost-cert.pem"), key: fixture("localhost-key.pem"), ALPNProtocols: ["h2"] },
      (socket) => engine.accept(socket),
    )
  : net.createServer((socket) => engine.accept(socket));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
