/**
 * The server of the client benchmark, in a process of its own: it reads items of a PredictStream, looks at their numbers
 * alone, and answers each with 2,048 scores and labels that were encoded before. Prints its port.
 */
import net, { type AddressInfo } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetModelResponseSchema, ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { PredictStreamResponseSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { createHttp2Engine } from "../../src/http2/engine.ts";
import { headerBlock, type ServerStream } from "../../src/http2/stream.ts";
import { framed } from "../../test/support/clients/wire-octets.ts";

const HEAD = headerBlock([["content-type", "application/grpc"]]);
const DONE = headerBlock([["grpc-status", "0"]]);
/** The prefix, the tag of item_id and its three octets or more. */
const HEAD_BYTES = 12;
const ITEM_ID_AT = 6;

const scores = Array.from({ length: 2048 }, (_, row) => row / 2048);
const labels = scores.map((_, row) => String(row & 1));
const description = framed(
  0,
  toBinary(
    GetModelResponseSchema,
    create(GetModelResponseSchema, {
      model: { modelName: "lr", modelVersion: "1", state: ModelState.READY },
    }),
  ),
);
// A number of three octets, which each answer overwrites with its own, padded to as many.
const answer = framed(
  0,
  toBinary(
    PredictStreamResponseSchema,
    create(PredictStreamResponseSchema, {
      itemId: 1_000_000n,
      result: { case: "response", value: { modelName: "lr", modelVersion: "1", scores, labels } },
    }),
  ),
);

function serve(stream: ServerStream): void {
  if (stream.path.endsWith("/GetModel")) serveModel(stream);
  else serveItems(stream);
}

function serveModel(stream: ServerStream): void {
  stream.onData = (bytes, end) => {
    stream.consume(bytes.length);
    if (!end) return;
    stream.respond(200, HEAD);
    stream.write(Buffer.from(description));
    stream.trailers(DONE);
  };
}

function serveItems(stream: ServerStream): void {
  const head = Buffer.alloc(HEAD_BYTES);
  let headBytes = 0;
  let left = 0;
  let responded = false;
  const respond = () => {
    if (!responded) stream.respond(200, HEAD);
    responded = true;
  };
  stream.onData = (bytes, end) => {
    for (let at = 0; at < bytes.length; ) {
      if (left > 0) {
        const passed = Math.min(left, bytes.length - at);
        left -= passed;
        at += passed;
        continue;
      }
      head[headBytes++] = bytes[at++]!;
      if (headBytes < HEAD_BYTES) continue;
      headBytes = 0;
      left = head.readUInt32BE(1) - (HEAD_BYTES - 5);
      respond();
      const own = Buffer.from(answer);
      const itemId = readVarint(head, ITEM_ID_AT);
      own[ITEM_ID_AT] = (itemId & 127) | 128;
      own[ITEM_ID_AT + 1] = ((itemId >> 7) & 127) | 128;
      own[ITEM_ID_AT + 2] = (itemId >> 14) & 127;
      stream.write(own);
    }
    stream.consume(bytes.length);
    if (!end) return;
    respond();
    stream.trailers(DONE);
  };
}

function readVarint(bytes: Buffer, at: number): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const octet = bytes[at++]!;
    value |= (octet & 127) << shift;
    if (octet < 128) return value;
  }
}

const engine = createHttp2Engine({ handler: serve });
const server = net.createServer({ noDelay: true }, (socket) => engine.accept(socket));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
