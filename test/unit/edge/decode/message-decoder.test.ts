import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import {
  MessageDecoder,
  type MessageForm,
  type SteppedDecoding,
} from "../../../../src/edge/decode/message-decoder.ts";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { delimited } from "../../../support/clients/wire-octets.ts";
import { LIMITS } from "../../../support/servers/fake-services.ts";

const decoder = new MessageDecoder(LIMITS);
const decode = async (form: MessageForm, bytes: Uint8Array) => {
  const memory = new CallMemory(createMemoryBudget(1e9));
  memory.take(bytes.length);
  try {
    return await decoder.decode(form, bytes, memory);
  } finally {
    memory.end();
    expect(memory.budget.heldBytes).toBe(0);
  }
};

/** A reader with a bug in it. */
class BrokenDecoding implements SteppedDecoding {
  readonly isRead = false;
  readonly message = create(PredictRequestSchema);
  readonly json = { model_name: "m" };
  readonly heapBytes = 0;
  private readonly bug: Error;
  constructor(bug: Error) {
    this.bug = bug;
  }
  step(): boolean {
    throw this.bug;
  }
}

describe.each([
  ["small", 100],
  ["large", 100_000],
])("of a %s message", (_, length) => {
  test("what a reader throws by mistake is handed on as it is: no caller is blamed for it", async () => {
    const bug = new TypeError("Cannot read properties of undefined (reading 'length')");
    const form: MessageForm = {
      desc: PredictRequestSchema,
      isJson: true,
      begin: () => new BrokenDecoding(bug),
    };
    await expect(decode(form, new Uint8Array(length))).rejects.toBe(bug);
    const requestOf = (): never => {
      throw bug;
    };
    const octets = toBinary(
      PredictRequestSchema,
      create(PredictRequestSchema, { modelName: "m".repeat(length) }),
    );
    await expect(decode({ desc: PredictRequestSchema, isJson: false, requestOf }, octets)).rejects.toBe(bug);
  });

  test("texts that are no UTF-8 are the caller's", async () => {
    const octets = delimited(1, Buffer.alloc(length, 0xff));
    const form = { desc: PredictRequestSchema, isJson: false };
    await expect(decode(form, octets)).rejects.toMatchObject({
      reason: Reason.INVALID_REQUEST,
      message: "the message is no protobuf of assay.v1.PredictRequest: one of its texts is not valid UTF-8",
    });
  });
});

test.each([
  ["a length beyond the end", Buffer.of(0x0a, 5, 1)],
  ["a varint without an end", Buffer.alloc(12, 0xff)],
  ["a wire type that there is not", Buffer.of(0x0f)],
  ["packed floats that are cut", delimited(4, Buffer.alloc(5))],
])("%s is the caller's, as protobuf's own reader would have it", async (_, octets) => {
  expect(() => fromBinary(PredictRequestSchema, octets)).toThrow();
  const form = { desc: PredictRequestSchema, isJson: false };
  await expect(decode(form, octets)).rejects.toMatchObject({ reason: Reason.INVALID_REQUEST });
});
