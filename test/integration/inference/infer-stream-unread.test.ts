import { once } from "node:events";
import http2 from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import {
  ModelInferRequestSchema,
  ModelStreamInferResponseSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import { framed } from "../../support/clients/wire-octets.ts";
import { affineModel } from "../../support/models/onnx-model.ts";
import { startCore } from "../../support/servers/scoring-core.ts";
import { startStreamEdge } from "../../support/servers/stream-services.ts";

const COLUMNS = 30;
const WINDOW_BYTES = 262_144;
const model = affineModel(COLUMNS);

function frame(id: number, rows: number): Buffer {
  const inputs = [{ name: "x", datatype: "FP32", shape: [BigInt(rows), BigInt(COLUMNS)] }];
  const rawInputContents = [new Uint8Array(rows * COLUMNS * 4)];
  const request = { modelName: "affine", id: String(id), inputs, rawInputContents };
  return framed(0, Buffer.from(toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request))));
}

async function connectedEdge() {
  const core = await startCore({ model });
  const limits = { streamWindowBytes: WINDOW_BYTES, streamWindowRows: 1024 };
  const { edge, port } = await startStreamEdge(core, model, { limits });
  const clients = [0, 1].map(() => http2.connect(`http://127.0.0.1:${port}`));
  onTestFinished(async () => {
    for (const client of clients) client.destroy();
    await edge.close();
    expect(core.batcher.depth.entries).toBe(0);
    await core.close();
  });
  const [first, second] = clients.map((client) => () => openStream(client));
  return { core, unread: first!(), other: second! };
}

function openStream(client: http2.ClientHttp2Session) {
  const path = "/inference.GRPCInferenceService/ModelStreamInfer";
  return client.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
}

/** The ids of all answers, which must be no errors, to the end. */
async function readAll(stream: http2.ClientHttp2Stream): Promise<string[]> {
  const chunks: Buffer[] = [];
  stream.on("data", (bytes: Buffer) => chunks.push(bytes));
  await once(stream, "close");
  const octets = Buffer.concat(chunks);
  const ids: string[] = [];
  for (let at = 0; at < octets.length; ) {
    const end = at + 5 + octets.readUInt32BE(at + 1);
    const { errorMessage, inferResponse } = fromBinary(
      ModelStreamInferResponseSchema,
      octets.subarray(at + 5, end),
    );
    expect(errorMessage).toBe("");
    ids.push(inferResponse!.id);
    at = end;
  }
  return ids;
}

test.each([1, 100])(
  "a client that does not read its answers to items of %d rows is read no further, others go on, and all is answered once it reads",
  async (rows) => {
    const { core, unread, other } = await connectedEdge();
    let sent = 0;
    for (let isTaken = true; isTaken; ) {
      isTaken = false;
      const frames = Array.from({ length: 20 }, () => frame(sent++, rows));
      unread.write(Buffer.concat(frames), () => {
        isTaken = true;
      });
      for (let i = 0; i < 20 && !isTaken; i++) {
        const stream = other();
        stream.end(frame(i, 1));
        expect(await readAll(stream)).toEqual([String(i)]);
      }
    }
    const octets = sent * frame(0, rows).length;
    expect(octets).toBeGreaterThan(WINDOW_BYTES / 2);
    expect(octets).toBeLessThan(WINDOW_BYTES * 3);
    // No row waits in the queue for a client that does not read.
    expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
    unread.end();
    expect(await readAll(unread)).toEqual(Array.from({ length: sent }, (_, i) => String(i)));
  },
);
