import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { connectCompressions, messageCompressions } from "../../../../src/edge/call/compression.ts";

const LIMIT = 10_000;

test.each(["gzip", "br"])("%s gives back what it took, up to the limit and no further", async (name) => {
  const { compress, decompress } = messageCompressions(LIMIT).find((each) => each.name === name)!;
  const bytes = new Uint8Array(LIMIT).fill(7);
  expect(new Uint8Array(await decompress(await compress(bytes)))).toEqual(bytes);
  const bomb = await compress(new Uint8Array(LIMIT + 1));
  await expect(decompress(bomb)).rejects.toMatchObject({ reason: Reason.MESSAGE_TOO_LARGE });
  await expect(decompress(Buffer.from("no such form"))).rejects.toMatchObject({
    reason: Reason.INVALID_REQUEST,
  });
  expect(await decompress(new Uint8Array(0))).toHaveLength(0);
});

test("Connect's handlers are thrown ConnectErrors", async () => {
  const [gzip] = connectCompressions(LIMIT);
  const bomb = await gzip!.compress(new Uint8Array(LIMIT + 1));
  await expect(gzip!.decompress(bomb)).rejects.toMatchObject({ code: Code.ResourceExhausted });
});
