/** One request and its response, over HTTP/1.1 or HTTP/2, octet by octet as a test wants them. */
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";

/** What a peer sends. */
export interface UnaryScript {
  readonly version: 1 | 2;
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
  /** Where the body is cut into pieces that are written by themselves. */
  readonly cuts: readonly number[];
}

/** What came back; `code`: with what an HTTP/2 stream was reset, 0 where it was not. */
export interface UnaryAnswer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly trailers: Record<string, unknown>;
  readonly body: Buffer;
  readonly code: number;
}

/** One peer's connections to one server; whoever made it closes it. */
export class UnaryPeer {
  private readonly port: number;
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  private session: http2.ClientHttp2Session;

  constructor(port: number) {
    this.port = port;
    this.session = connect(port);
  }

  exchange(script: UnaryScript): Promise<UnaryAnswer> {
    return script.version === 1 ? this.overHttp1(script) : this.overHttp2(script);
  }

  close(): void {
    this.agent.destroy();
    this.session.destroy();
  }

  private async overHttp1({ method = "POST", path, headers, body, cuts }: UnaryScript): Promise<UnaryAnswer> {
    const request = http.request({
      host: "127.0.0.1",
      port: this.port,
      agent: this.agent,
      method,
      path,
      headers: headers as http.OutgoingHttpHeaders,
    });
    request.on("error", () => {});
    const answered = once(request, "response");
    send(request, body, cuts);
    const [response] = (await answered) as [http.IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const { date, connection, "keep-alive": _, ...rest } = response.headers;
    return {
      status: response.statusCode!,
      headers: rest,
      trailers: { ...response.trailers },
      body: Buffer.concat(parts),
      code: 0,
    };
  }

  private async overHttp2({ method = "POST", path, headers, body, cuts }: UnaryScript): Promise<UnaryAnswer> {
    // The server closes what is idle.
    if (this.session.closed || this.session.destroyed) this.session = connect(this.port);
    const stream = this.session.request({ ":method": method, ":path": path, ...headers });
    let seen: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    const parts: Buffer[] = [];
    stream.on("response", (fields) => {
      const { date, ...rest } = fields;
      seen = rest;
    });
    stream.on("trailers", (fields) => {
      trailers = { ...fields };
    });
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("error", () => {});
    const closed = once(stream, "close");
    send(stream, body, cuts);
    await closed;
    return {
      status: Number(seen[":status"]),
      headers: seen,
      trailers,
      body: Buffer.concat(parts),
      code: stream.rstCode,
    };
  }
}

function send(
  target: http.ClientRequest | http2.ClientHttp2Stream,
  body: Uint8Array,
  cuts: readonly number[],
) {
  let at = 0;
  for (const cut of cuts) {
    if (at >= body.length) break;
    target.write(body.subarray(at, at + cut));
    at += cut;
  }
  target.end(body.subarray(Math.min(at, body.length)));
}

function connect(port: number): http2.ClientHttp2Session {
  return http2.connect(`http://127.0.0.1:${port}`).on("error", () => {});
}
