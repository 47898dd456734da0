/** Requests that hold the event loop or fill the memory. */
import { gzipSync } from "node:zlib";
import { varint } from "../support/clients/wire-octets.ts";
import { connectJson, grpcCall, post, session } from "./calls.ts";
import { type Fault, field, filled, grpcFrame, MAX_MESSAGE_BYTES } from "./fault.ts";
import { writeWideModel } from "./fault-models.ts";
import { held } from "./held.ts";

const SIZE = MAX_MESSAGE_BYTES - 200;
const PREDICT = "ScoringService/Predict";

const gzipped = (bytes: Uint8Array | string) => new Uint8Array(gzipSync(bytes));
const packed = { "content-encoding": "gzip" };
const proto = { ...packed, "content-type": "application/proto" };
const shown = ({ status, text }: { status: number; text: string }) =>
  `${status} ${text.length > 60 ? `${text.length} octets` : text}`;

/** One Predict in protobuf over four protocols, each at once with the next. */
function inEachProtocol(name: string, message: () => Uint8Array): Fault[] {
  return [
    {
      name: `${name}, gRPC`,
      run: (bed) =>
        held(bed, async ({ url }) => {
          const client = session(url);
          const answer = await grpcCall(client, PREDICT, message(), { gzip: true });
          client.destroy();
          return `code ${answer.code}, ${answer.trailerBytes} octets of trailers`;
        }),
    },
    {
      name: `${name}, gRPC-Web`,
      run: (bed) =>
        held(bed, async ({ url }) => {
          const body = new Uint8Array(grpcFrame(message(), true));
          const headers = { "content-type": "application/grpc-web+proto", "grpc-encoding": "gzip" };
          return shown(await post(`${url}/assay.v1.${PREDICT}`, body, headers));
        }),
    },
    {
      name: `${name}, Connect`,
      run: (bed) =>
        held(bed, async ({ url }) =>
          shown(await post(`${url}/assay.v1.${PREDICT}`, gzipped(message()), proto)),
        ),
    },
  ];
}

/** A JSON text POSTed to a path. */
function json(name: string, path: string, text: () => string, wrong?: RegExp): Fault {
  return {
    name,
    run: (bed) =>
      held(bed, async ({ url }) => {
        const answer = await post(`${url}${path}`, gzipped(text()), packed);
        const bad = wrong?.test(answer.text) === true || answer.text.length > 65_536;
        return `${bad ? "wrong: " : ""}${shown(answer)}`;
      }),
  };
}

const list = (item: string, length: number) =>
  Array.from({ length: Math.floor(length / (item.length + 1)) }, () => item).join(",");
const named = field(1, "iris");
const wide = (rows: string, models?: string): Fault["run"] => {
  return (bed) => {
    const folder = models ?? bed.newFolder("wide");
    writeWideModel(folder, 500);
    return held(
      bed,
      async ({ url }) => shown(await connectJson(url, PREDICT, `{"modelName":"wide","rows":[${rows}]}`)),
      { models: folder },
    );
  };
};
const columns = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, i) => `"${prefix}${i}x":1`).join(",");

/** Section by section: what decoding, checking and telling may cost. */
export const LOOP_FAULTS: readonly Fault[] = [
  ...inEachProtocol("8 M empty inputs in 16 KB of gzip", () =>
    Buffer.concat([named, filled([0x2a, 0] as never, SIZE)]),
  ),
  json(
    "5 M empty inputs as JSON, Connect",
    `/assay.v1.${PREDICT}`,
    () => `{"modelName":"iris","inputs":[${list("{}", SIZE)}]}`,
  ),
  json("8 M zeros as inputs, /predict", "/predict/iris", () => `{"inputs":[${list("0", SIZE)}]}`),
  json("880,000 unknown columns, /predict", "/predict/census", () => `{"rows":[{${columns(880_000, "c")}}]}`),
  json(
    "880,000 unknown columns, Connect",
    `/assay.v1.${PREDICT}`,
    () => `{"modelName":"census","rows":[{${columns(880_000, "c")}}]}`,
  ),
  ...inEachProtocol("8 M empty output_names", () => Buffer.concat([named, filled(Buffer.of(0x3a, 0), SIZE)])),
  ...inEachProtocol("a shape of 16 M axes", () => {
    const shape = Buffer.concat([varint(26), varint(SIZE - 100), Buffer.alloc(SIZE - 100)]);
    return Buffer.concat([named, field(5, Buffer.concat([field(1, "x"), field(2, "FP32"), shape]))]);
  }),
  ...inEachProtocol("one-octet texts that are no UTF-8", () => {
    const count = Math.floor((SIZE - 1000) / 3);
    const shape = field(3, Buffer.concat([varint(count), varint(1)]));
    const contents = field(4, filled(Buffer.of(0x42, 1, 0xff), count * 3));
    return Buffer.concat([
      field(1, "census"),
      field(5, Buffer.concat([field(1, "sex"), field(2, "BYTES"), shape, contents])),
    ]);
  }),
  json(
    "100,000 levels of JSON, /predict",
    "/predict/iris",
    () => `{"features":${"[".repeat(100_000)}1${"]".repeat(100_000)}}`,
    /internal/i,
  ),
  json(
    "100,000 levels of objects, /predict",
    "/predict/iris",
    () => `{"rows":[${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}]}`,
    /internal/i,
  ),
  json(
    "100,000 levels of JSON, Connect",
    `/assay.v1.${PREDICT}`,
    () => `{"modelName":"iris","features":${"[".repeat(100_000)}1${"]".repeat(100_000)}}`,
    /"internal"/,
  ),
  json(
    "16 M digits in a number, Connect",
    `/assay.v1.${PREDICT}`,
    () => `{"modelName":"iris","features":["${"1".repeat(SIZE - 100)}x"]}`,
  ),
  json(
    "16 M digits in a number, /predict",
    "/predict/iris",
    () => `{"features":["${"1".repeat(SIZE - 100)}x"]}`,
  ),
  {
    name: "16 M digits in a number, gRPC with JSON messages",
    run: (bed) =>
      held(bed, async ({ url }) => {
        const client = session(url);
        const text = Buffer.from(`{"modelName":"iris","features":["${"1".repeat(SIZE - 100)}x"]}`);
        const headers = { "content-type": "application/grpc+json" };
        const answer = await grpcCall(client, PREDICT, text, { gzip: true, headers });
        client.destroy();
        const bad = answer.code === -1 || answer.trailerBytes > 8192;
        return `${bad ? "wrong: " : ""}code ${answer.code}, ${answer.trailerBytes} octets of trailers`;
      }),
  },
  json(
    "1,000 unknown columns with names of 16 KB",
    "/predict/census",
    () => `{"rows":[{${columns(1000, "n".repeat(16_000))}}]}`,
  ),
  { name: "3,000 misspelt columns to a model of 500", run: wide(`{${columns(3000, "feature_number_")}}`) },
  {
    name: "200 rows with 10 misspelt columns each to a model of 500",
    run: wide(Array.from({ length: 200 }, () => `{${columns(10, "featur_number_")}}`).join(",")),
  },
  {
    name: "800,000 items of 5 octets on one stream",
    run: (bed) =>
      held(bed, async ({ url }) => {
        const client = session(url);
        const frames = filled(grpcFrame(Buffer.alloc(0)), 800_000 * 5);
        const answer = await grpcCall(
          client,
          "ScoringService/PredictStream",
          { frames },
          { timeoutMs: 20_000 },
        );
        client.destroy();
        return `code ${answer.code}, ${answer.messages} octets of answers`;
      }),
  },
  {
    name: "400,000 waiting items whose deadlines ring",
    seconds: 60,
    run: (bed) =>
      held(
        bed,
        async ({ url }) => {
          const client = session(url);
          const item = field(
            2,
            Buffer.concat([named, field(4, Buffer.from(Float32Array.of(1, 2, 3, 4).buffer))]),
          );
          const frames = filled(grpcFrame(item), 400_000 * (item.length + 5));
          const headers = { "grpc-timeout": "2S" };
          const answer = await grpcCall(client, "ScoringService/PredictStream", { frames }, { headers });
          client.destroy();
          return `code ${answer.code}`;
        },
        {
          flags: [
            "--max-queue-rows",
            "500000",
            "--stream-window-rows",
            "500000",
            "--stream-window-bytes",
            "67108864",
          ],
        },
      ),
  },
  {
    name: "300 gzip calls of 16 MiB on one connection",
    seconds: 60,
    run: (bed) =>
      held(
        bed,
        async ({ url }) => {
          const client = session(url);
          const raw = Buffer.concat([named, field(1000, Buffer.alloc(SIZE - 100))]);
          const frames = grpcFrame(gzipSync(raw));
          frames[0] = 1;
          const calls = Array.from({ length: 300 }, () =>
            grpcCall(
              client,
              PREDICT,
              { frames },
              { headers: { "grpc-encoding": "gzip" }, timeoutMs: 32_000 },
            ),
          );
          const codes = new Set((await Promise.all(calls)).map(({ code }) => code));
          client.destroy();
          return `codes ${[...codes].join(" ")}`;
        },
        { seconds: 35 },
      ),
  },
  {
    name: "forty requests with 16 MiB of unknown fields, a heap of 256 MiB",
    run: (bed) =>
      held(
        bed,
        async ({ url }) => {
          const raw = Buffer.concat([
            named,
            filled(Buffer.concat([varint(1000 * 8), Buffer.of(1)]), SIZE - 1000),
            field(4, Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer)),
          ]);
          const body = gzipped(raw);
          const all = Array.from({ length: 40 }, () =>
            post(`${url}/assay.v1.${PREDICT}`, body, proto, 20_000),
          );
          const statuses = new Set((await Promise.all(all)).map(({ status }) => status));
          return `${statuses.has(0) ? "wrong: lost; " : ""}statuses ${[...statuses].join(" ")}`;
        },
        { nodeFlags: ["--max-old-space-size=256"] },
      ),
  },
  {
    name: "5,000 item statuses over a heap of 128 MiB, streams unread",
    run: (bed) =>
      held(
        bed,
        async ({ url }) => {
          const client = session(url);
          const rows = Buffer.concat(
            Array.from({ length: 5000 }, (_, i) =>
              field(1, Buffer.concat([varint(8), varint(i), field(2, field(1, "x".repeat(200)))])),
            ),
          );
          const calls = Array.from({ length: 20 }, () => {
            const stream = client.request({
              ":method": "POST",
              ":path": "/assay.v1.ScoringService/PredictRows",
              "content-type": "application/grpc",
              te: "trailers",
            });
            stream.on("error", () => {});
            stream.end(grpcFrame(rows));
            return stream;
          });
          await new Promise((resolve) => setTimeout(resolve, 5000));
          for (const stream of calls) stream.destroy();
          client.destroy();
          return "left unread";
        },
        { nodeFlags: ["--max-old-space-size=128"] },
      ),
  },
];
