import { once } from "node:events";
import http2 from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  PredictStreamRequestSchema,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { affineModel } from "../../support/models/onnx-model.ts";
import { type Core, startCore } from "../../support/servers/scoring-core.ts";
import { type StreamEdge, startStreamEdge } from "../../support/servers/stream-services.ts";

const COLUMNS = 30;
const WINDOW_BYTES = 262_144;
const WINDOW_ROWS = 1024;
const model = affineModel(COLUMNS);

function frame(itemId: number, rowCount: number): Buffer {
  const rawContents = new Uint8Array(new Float32Array(rowCount * COLUMNS).fill(itemId % 1000).buffer);
  const shape = [BigInt(rowCount), BigInt(COLUMNS)];
  const request = {
    modelName: "affine",
    outputNames: ["y"],
    inputs: [{ name: "x", datatype: "FP32", shape, rawContents }],
  };
  const item = create(PredictStreamRequestSchema, { itemId: BigInt(itemId), request });
  const message = toBinary(PredictStreamRequestSchema, item);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A stream that is written and read by hand. */
function openStream(client: http2.ClientHttp2Session) {
  const stream = client.request({
    ":method": "POST",
    ":path": "/assay.v1.ScoringService/PredictStream",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("trailers", (fields) => {
    trailers = fields;
  });
  const closed = once(stream, "close");
  let buffered = Buffer.alloc(0);
  return {
    stream,
    /** The ids of all answers until the end; each must hold what its rows score. */
    async readAll(rowCount: number): Promise<number[]> {
      const ids: number[] = [];
      stream.on("data", (bytes: Buffer) => {
        buffered = Buffer.concat([buffered, bytes]);
        for (;;) {
          const end = buffered.length < 5 ? Number.POSITIVE_INFINITY : 5 + buffered.readUInt32BE(1);
          if (buffered.length < end) break;
          const { itemId, result } = fromBinary(PredictStreamResponseSchema, buffered.subarray(5, end));
          buffered = buffered.subarray(end);
          ids.push(Number(itemId));
          if (result.case !== "response") throw new Error(`item ${itemId}: ${result.value?.message}`);
          const { rawContents } = result.value.outputs[0]!;
          expect(rawContents).toHaveLength(rowCount * COLUMNS * 4);
          expect(Buffer.from(rawContents).readFloatLE(rawContents.length - 4)).toBe(
            (Number(itemId) % 1000) * 2 + 1,
          );
        }
      });
      await closed;
      expect(trailers["grpc-status"]).toBe("0");
      return ids;
    },
  };
}

/** Writes messages until none has been taken for a while in which another stream is served; returns how many were handed over. */
async function writeUntilStopped(
  stream: http2.ClientHttp2Stream,
  rowCount: number,
  whileWaiting: () => Promise<void>,
): Promise<number> {
  let sent = 0;
  for (let isTaken = true; isTaken; ) {
    isTaken = false;
    const one = frame(sent, rowCount);
    sent++;
    const flushed = new Promise<void>((resolve) => stream.write(one, () => resolve()));
    void flushed.then(() => {
      isTaken = true;
    });
    // Each is a round trip to the same server: what the first stream can still send has gone by then.
    for (let i = 0; i < 20 && !isTaken; i++) await whileWaiting();
  }
  return sent;
}

describe.each(["assay", "node"] as const)("over the %s engine", (http2Engine) => {
  let core: Core;
  let edge: StreamEdge;
  const clients: http2.ClientHttp2Session[] = [];
  beforeEach(async () => {
    core = await startCore({ model });
    const limits = { streamWindowBytes: WINDOW_BYTES, streamWindowRows: WINDOW_ROWS };
    edge = await startStreamEdge(core, model, { http2Engine, limits });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await edge.edge.close();
    expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
    await core.close();
  });

  function connect(): http2.ClientHttp2Session {
    const client = http2.connect(`http://127.0.0.1:${edge.port}`);
    clients.push(client);
    return client;
  }

  test("a client that never reads stops the server, others go on, and all is answered once it reads", async () => {
    const slow = openStream(connect());
    const client = connect();
    const other = async (): Promise<void> => {
      const { stream, readAll } = openStream(client);
      for (let i = 0; i < 8; i++) stream.write(frame(i, 64));
      stream.end();
      expect(await readAll(64)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    };
    const rowCount = 100;
    const sent = await writeUntilStopped(slow.stream, rowCount, other);
    const bytes = sent * frame(0, rowCount).length;
    // The window, and what the answers on their way back gave of it.
    expect(bytes).toBeGreaterThan(WINDOW_BYTES / 2);
    expect(bytes).toBeLessThan(WINDOW_BYTES * 3);
    // No row waits in the queue for a client that does not read.
    expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
    slow.stream.end();
    const ids = await slow.readAll(rowCount);
    expect(ids).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  test("a message larger than the window is taken, and so are those behind it", async () => {
    const { stream, readAll } = openStream(connect());
    const rowCount = 4 * WINDOW_ROWS;
    expect(frame(0, rowCount).length).toBeGreaterThan(WINDOW_BYTES);
    for (let i = 0; i < 5; i++) stream.write(frame(i, rowCount));
    stream.end();
    expect(await readAll(rowCount)).toEqual([0, 1, 2, 3, 4]);
  });
});
