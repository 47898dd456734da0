import { createClient } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { exampleRepository } from "../../support/folders.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const { url } = await fileServer(exampleRepository("iris"));
// Answers of a row are too short to be packed in any case.
const ROWS = 500;
const rawContents = new Uint8Array(new Float32Array(ROWS * 4).fill(2).buffer);
const inputs = [{ name: "features", datatype: "FP32", shape: [BigInt(ROWS), 4n], rawContents }];
const request = { modelName: "iris", inputs };

async function* one<T>(item: T) {
  yield item;
}

test.each([
  ["as they come", null],
  ["packed", "gzip"],
])("a gRPC caller that takes gzip and sends its messages %s gets its answers so", async (_, encoding) => {
  const packed = encoding === null ? {} : { sendCompression: compressionGzip, compressMinBytes: 0 };
  const client = createClient(
    ScoringService,
    createGrpcTransport({ baseUrl: url, acceptCompression: [compressionGzip], ...packed }),
  );
  const found: (string | null)[] = [];
  const onHeader = (header: Headers) => void found.push(header.get("grpc-encoding"));
  expect((await client.predict(request, { onHeader })).scores).toHaveLength(ROWS);
  for await (const { result } of client.predictStream(one({ itemId: 1n, request }), { onHeader }))
    expect(result.case).toBe("response");
  for await (const { result } of client.predictRows({ items: [{ request }] }, { onHeader }))
    expect(result.case).toBe("response");
  expect(found).toEqual([encoding, encoding, encoding]);
});
