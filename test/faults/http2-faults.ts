/** What one connection may do to the others, and what errors look like to gRPC clients. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { ScoringService } from "../../gen/assay/v1/scoring_service_pb.ts";
import { CLIENT_PREFACE, FLAG_ACK, GOAWAY, SETTINGS, WINDOW_UPDATE } from "../../src/http2/frame/frame.ts";
import {
  data,
  frame,
  RawHttp2Client,
  request,
  reset,
  settings,
} from "../support/clients/raw-http2-client.ts";
import { varint } from "../support/clients/wire-octets.ts";
import { connectJson, grpcCall, post, rawExchange, session } from "./calls.ts";
import { type Fault, field, filled, grpcFrame } from "./fault.ts";
import { writeLookupModel, writeWideModel } from "./fault-models.ts";
import { held } from "./held.ts";

const PREDICT = "ScoringService/Predict";
const FEATURES = field(4, Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer));
const IRIS = Buffer.concat([field(1, "iris"), FEATURES]);
/** SETTINGS_INITIAL_WINDOW_SIZE. */
const INITIAL_WINDOW = 4;

const fields = (path: string): readonly (readonly [string, string])[] => [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", path],
  [":authority", "x"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];

/** A call that fails, and how its end should look. */
function refused(name: string, message: Uint8Array, codes: readonly number[]): Fault {
  return {
    name,
    async run(bed) {
      const server = await bed.serve();
      const client = session(server.url);
      const answer = await grpcCall(client, PREDICT, message);
      client.destroy();
      const faulty = !codes.includes(answer.code) || !answer.trailersOnly;
      return {
        faulty,
        came: `code ${answer.code}${answer.trailersOnly ? ", Trailers-Only" : ", two header blocks"}: ${answer.message.slice(0, 70)}`,
      };
    },
  };
}

export const HTTP2_FAULTS: readonly Fault[] = [
  {
    name: "rapid reset: HEADERS, one octet of DATA, RST_STREAM, 20,000 times",
    async run(bed) {
      const server = await bed.serve();
      const client = await RawHttp2Client.open(server.port);
      let sent = 0;
      for (; sent < 20_000 && !client.closed; sent += 50) {
        const frames: Buffer[] = [];
        for (let i = 0; i < 50; i++) {
          const id = 1 + 2 * (sent + i);
          frames.push(
            request(id, { fields: fields(`/assay.v1.${PREDICT}`), endStream: false }),
            data(id, Buffer.of(0)),
            reset(id, 8),
          );
        }
        client.send(...frames);
        client.frames.length = 0;
        await delay(1);
      }
      await Promise.race([client.untilClosed(), delay(1500)]);
      const { closed } = client;
      await client.close();
      return { faulty: !closed, came: closed ? `cut off after at most ${sent}` : `${sent} were taken` };
    },
  },
  {
    name: "four unread streams on a connection, then a call on it",
    run: (bed) =>
      held(bed, async ({ port }) => {
        const client = await RawHttp2Client.connect(port);
        client.send(
          CLIENT_PREFACE,
          frame(SETTINGS, 0, 0, settings([INITIAL_WINDOW, 0])),
          frame(SETTINGS, FLAG_ACK, 0),
        );
        await delay(300);
        const ids = [1, 3, 5, 7];
        for (const id of ids) {
          const path = "/assay.v1.ScoringService/PredictStream";
          client.send(request(id, { fields: fields(path), endStream: false }));
        }
        // Answers get no window; requests are sent as far as the server gives them one.
        const chunk = filled(grpcFrame(field(2, IRIS)), 15_000);
        const windows = new Map<number, number>();
        const windowOf = (id: number) => windows.get(id) ?? initial;
        let initial = 65_535;
        for (let idle = 0; idle < 10; ) {
          for (const { type, streamId, payload } of client.frames.splice(0)) {
            if (type === SETTINGS) initial = initialWindow(payload) ?? initial;
            if (type === WINDOW_UPDATE)
              windows.set(
                streamId,
                (windows.get(streamId) ?? (streamId === 0 ? 65_535 : initial)) + payload.readUInt32BE(0),
              );
          }
          const open = ids.filter((id) => Math.min(windows.get(0) ?? 65_535, windowOf(id)) >= chunk.length);
          for (const id of open.slice(0, 1)) {
            client.send(data(id, chunk));
            windows.set(0, (windows.get(0) ?? 65_535) - chunk.length);
            windows.set(id, windowOf(id) - chunk.length);
          }
          idle = open.length > 0 ? 0 : idle + 1;
          await delay(open.length > 0 ? 0 : 50);
        }
        const left = windows.get(0) ?? 65_535;
        await client.close();
        return `${left < chunk.length ? "wrong: " : ""}${left} octets are left to the others`;
      }),
  },
  {
    name: "10,000 GetModel calls whose answers of 300 KB have no window",
    async run(bed) {
      const models = bed.newFolder("repository");
      writeWideModel(models, 4000);
      const verdict = await held(
        bed,
        async ({ port }) => {
          const clients: RawHttp2Client[] = [];
          const body = grpcFrame(field(1, "wide"));
          for (let i = 0; i < 10_000; i++) {
            if (i % 1000 === 0) clients.push(await RawHttp2Client.open(port, settings([INITIAL_WINDOW, 0])));
            const client = clients.at(-1)!;
            const id = 1 + 2 * (i % 1000);
            const head = request(id, { fields: fields("/assay.v1.ModelService/GetModel"), endStream: false });
            client.send(head, data(id, body, true));
            client.frames.length = 0;
            if (i % 100 === 0) await delay(20);
          }
          await delay(3000);
          const open = clients.filter(({ closed }) => !closed).length;
          for (const client of clients) await client.close();
          return `${open} of ${clients.length} connections are kept`;
        },
        { models, moreMib: 600, stallMs: 5000 },
      );
      return verdict;
    },
  },
  {
    name: "one peer takes every connection",
    run: (bed) =>
      held(
        bed,
        async ({ port }) => {
          const clients = await Promise.all(Array.from({ length: 40 }, () => RawHttp2Client.connect(port)));
          for (const client of clients) client.send(CLIENT_PREFACE, frame(SETTINGS, 0, 0));
          await delay(1000);
          const open = clients.filter(
            ({ closed, frames }) => !closed && !frames.some(({ type }) => type === GOAWAY),
          );
          for (const client of clients) await client.close();
          return `${open.length >= 39 ? "wrong: " : ""}${open.length} of 40 are kept of --max-connections 40`;
        },
        { flags: ["--max-connections", "40"] },
      ),
  },
  refused("an unknown model over gRPC", Buffer.concat([field(1, "nobody"), FEATURES]), [5]),
  refused("a request without rows over gRPC", field(1, "iris"), [3]),
  {
    name: "more rows than the queue can ever hold",
    async run(bed) {
      const server = await bed.serve(["--max-queue-rows", "16"]);
      const rows = 64;
      const raw = new Uint8Array(new Float32Array(rows * 4).fill(1).buffer);
      const input = Buffer.concat([
        field(1, "features"),
        field(2, "FP32"),
        field(3, Buffer.concat([varint(rows), varint(4)])),
        field(5, raw),
      ]);
      const client = session(server.url);
      const answer = await grpcCall(client, PREDICT, Buffer.concat([field(1, "iris"), field(5, input)]));
      client.destroy();
      return {
        faulty: ![3, 9].includes(answer.code),
        came: `code ${answer.code}: ${answer.message.slice(0, 90)}`,
      };
    },
  },
  {
    name: "a message above --max-message-bytes",
    async run(bed) {
      const server = await bed.serve(["--max-message-bytes", "10000"]);
      const client = session(server.url);
      const { code } = await grpcCall(
        client,
        PREDICT,
        Buffer.concat([IRIS, field(1000, Buffer.alloc(20_000))]),
      );
      client.destroy();
      const plain = await post(
        `${server.url}/predict/iris`,
        JSON.stringify({ features: [1, 2, 3, 4], x: "x".repeat(20_000) }),
      );
      // gRPC libraries give RESOURCE_EXHAUSTED to messages above their limit too.
      return {
        faulty: ![3, 8, 9].includes(code) || plain.status !== 413,
        came: `gRPC code ${code}, /predict ${plain.status}`,
      };
    },
  },
  {
    name: "token ids out of the model's range",
    async run(bed) {
      const models = bed.newFolder("repository");
      writeLookupModel(models);
      const server = await bed.serve([], { models });
      const inputs = [{ name: "ids", datatype: "INT64", shape: [1], contents: { int64Contents: [99] } }];
      const { status, text } = await connectJson(server.url, PREDICT, { modelName: "lookup", inputs });
      return { faulty: status !== 400, came: `${status} ${text.slice(0, 110)}` };
    },
  },
  {
    name: "connect-web with JSON reads a stream with a bad item",
    async run(bed) {
      const server = await bed.serve();
      const client = createClient(ScoringService, createConnectTransport({ baseUrl: server.url }));
      const items = [[5.1, 3.5, 1.4, 0.2], [1], [6, 3, 4, 1]].map((features, i) => ({
        itemId: BigInt(i),
        request: { modelName: "iris", features },
      }));
      const cases: (string | undefined)[] = [];
      for await (const answer of client.predictRows({ items })) cases.push(answer.result.case);
      return { faulty: cases.length !== 3 || !cases.includes("status"), came: cases.join(", ") };
    },
  },
  {
    name: "a health watch hears of SIGTERM",
    async run(bed) {
      const server = await bed.serve();
      const client = session(server.url);
      const stream = client.request({
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Watch",
        "content-type": "application/grpc",
        te: "trailers",
      });
      stream.on("error", () => {});
      const came: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => came.push(chunk));
      stream.end(grpcFrame(Buffer.alloc(0)));
      await once(stream, "data");
      server.child.kill("SIGTERM");
      await Promise.race([once(stream, "close"), delay(5000)]);
      const octets = Buffer.concat(came).toString("hex");
      return {
        faulty: !octets.endsWith("0802"),
        came: octets.endsWith("0802") ? "NOT_SERVING" : `only ${octets}`,
      };
    },
  },
  {
    name: "a health watch with a deadline of 1000 hours",
    async run(bed) {
      const server = await bed.serve();
      const client = session(server.url);
      const stream = client.request({
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Watch",
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-timeout": "1000H",
      });
      stream.on("error", () => {});
      stream.resume();
      stream.end(grpcFrame(Buffer.alloc(0)));
      const closed = await Promise.race([once(stream, "close").then(() => true), delay(2000, false)]);
      client.destroy();
      return {
        faulty: closed || /TimeoutOverflow/.test(server.stderr()),
        came: closed ? "it ended at once" : "it goes on",
      };
    },
  },
  {
    name: "an absolute-form target over HTTP/1.1",
    async run(bed) {
      const { port } = await bed.serve();
      const came = await rawExchange(
        port,
        "GET http://models.internal/livez HTTP/1.1\r\nhost: models.internal\r\nconnection: close\r\n\r\n",
      );
      return { faulty: !came.startsWith("HTTP/1.1 200"), came: came.split("\r\n")[0] ?? "" };
    },
  },
  {
    name: "what a wrong path, type or header list is told",
    async run(bed) {
      const server = await bed.serve();
      const features = '{"features":[5.1,3.5,1.4,0.2]}';
      const slash = await post(`${server.url}/predict/iris/`, features);
      const method = await connectJson(server.url, "ScoringService/Predikt", {});
      const type = await post(`${server.url}/assay.v1.${PREDICT}`, features, { "content-type": "text/csv" });
      const told = [
        slash.status === 200 || slash.status === 307 || /slash/.test(slash.text),
        /Predict\b/.test(method.text),
        /text\/csv/.test(type.text),
      ];
      const names = ["trailing slash", "misspelt method", "415"].filter((_, i) => !told[i]);
      return {
        faulty: names.length > 0,
        came: names.length > 0 ? `not helped: ${names.join(", ")}` : "told what to do",
      };
    },
  },
];

/** The initial window of streams in a SETTINGS payload. */
function initialWindow(payload: Buffer): number | undefined {
  for (let at = 0; at + 6 <= payload.length; at += 6)
    if (payload.readUInt16BE(at) === INITIAL_WINDOW) return payload.readUInt32BE(at + 2);
  return undefined;
}
