import { once } from "node:events";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHttp2Engine } from "../../../src/http2/engine.ts";
import { headerBlock, type ServerStream } from "../../../src/http2/stream.ts";

/** What a request asks the server to answer, sent in its `x-plan` field. */
interface Plan {
  readonly status: number;
  readonly chunks: readonly number[];
  readonly trailers: boolean;
  readonly repeated: number;
}

const chunk = (size: number) => Buffer.alloc(size, size & 0xff);
const fieldsOf = (plan: Plan): [string, string][] => [
  ["content-type", "text/plain"],
  ...Array.from({ length: plan.repeated }, (_, i): [string, string] => ["x-repeated", `value ${i}`]),
];

/** Both servers answer with the plan's chunks after the whole request, and say what they received. */
function assayServer(): net.Server {
  const engine = createHttp2Engine({
    handler: (stream: ServerStream) => {
      let received = 0;
      stream.onData = (bytes, end) => {
        received += bytes.length;
        stream.consume(bytes.length);
        if (!end) return;
        const plan = JSON.parse(stream.headers.get("x-plan")!) as Plan;
        const seen = `${stream.method} ${stream.path} ${received} ${stream.headers.getAll("x-field").join(", ")}`;
        stream.respond(
          plan.status,
          headerBlock([...fieldsOf(plan), ["x-seen", seen]]),
          plan.chunks.length === 0 && !plan.trailers,
        );
        for (const [i, size] of plan.chunks.entries())
          stream.write(chunk(size), i === plan.chunks.length - 1 && !plan.trailers);
        if (plan.trailers) stream.trailers(headerBlock([["x-trailer", "done"]]));
      };
    },
    onHandlerError: (error) => {
      throw error;
    },
  });
  return net.createServer((socket) => engine.accept(socket));
}

function nodeServer(): http2.Http2Server {
  const server = http2.createServer();
  server.on("stream", (stream, headers) => {
    let received = 0;
    stream.on("data", (bytes: Buffer) => {
      received += bytes.length;
    });
    stream.on("end", () => {
      const plan = JSON.parse(String(headers["x-plan"])) as Plan;
      const seen = `${headers[":method"]} ${headers[":path"]} ${received} ${headers["x-field"] ?? ""}`;
      const empty = plan.chunks.length === 0 && !plan.trailers;
      const fields: http2.OutgoingHttpHeaders = {
        ":status": plan.status,
        "content-type": "text/plain",
        "x-seen": seen,
      };
      if (plan.repeated > 0)
        fields["x-repeated"] = Array.from({ length: plan.repeated }, (_, i) => `value ${i}`);
      stream.respond(fields, {
        endStream: empty,
        waitForTrailers: plan.trailers,
        sendDate: false,
      } as http2.ServerStreamResponseOptions);
      if (plan.trailers) stream.on("wantTrailers", () => stream.sendTrailers({ "x-trailer": "done" }));
      if (empty) return;
      for (const size of plan.chunks) stream.write(chunk(size));
      stream.end();
    });
  });
  return server;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
  readonly body: readonly number[];
  readonly plan: Plan;
}

async function perform(client: http2.ClientHttp2Session, call: Call): Promise<unknown> {
  const stream = client.request({
    ":method": call.method,
    ":path": call.path,
    "x-plan": JSON.stringify(call.plan),
    ...(call.fields.length > 0 ? { "x-field": [...call.fields] } : {}),
  });
  const seen: { headers?: object; trailers?: object; body: Buffer[] } = { body: [] };
  stream.on("response", (headers) => {
    seen.headers = { ...headers };
  });
  stream.on("trailers", (trailers) => {
    seen.trailers = { ...trailers };
  });
  stream.on("data", (bytes: Buffer) => seen.body.push(bytes));
  for (const size of call.body) stream.write(chunk(size));
  stream.end();
  await once(stream, "close");
  return { ...seen, body: Buffer.concat(seen.body).toString("base64"), code: stream.rstCode };
}

const servers: (net.Server | http2.Http2Server)[] = [];
const clients: http2.ClientHttp2Session[] = [];

beforeAll(async () => {
  for (const server of [assayServer(), nodeServer()]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    servers.push(server);
    clients.push(http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  }
});

afterAll(async () => {
  for (const client of clients) client.close();
  await Promise.all(clients.map((client) => client.closed || once(client, "close")));
  for (const server of servers) server.close();
});

const size = fc.oneof(fc.nat(10), fc.nat(20_000), fc.nat(200_000));
const call: fc.Arbitrary<Call> = fc.record({
  method: fc.constantFrom("POST", "PUT", "PATCH"),
  path: fc.webUrl({ withQueryParameters: true }).map((url) => `/${url.slice(8)}`),
  fields: fc.array(fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,30}[\x21-\x7e])?$/), { maxLength: 3 }),
  body: fc.array(size, { maxLength: 4 }),
  plan: fc.record({
    status: fc.constantFrom(200, 201, 206, 400, 404, 418, 500, 503),
    chunks: fc.array(size, { maxLength: 5 }),
    trailers: fc.boolean(),
    repeated: fc.nat(3),
  }),
});

test("both engines serve the same calls, several at once, with the same answers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 6 }), async (calls) => {
      const [ours, nodes] = await Promise.all(
        clients.map((client) => Promise.all(calls.map((one) => perform(client, one)))),
      );
      expect(ours).toEqual(nodes);
    }),
    { numRuns: 60 },
  );
});
