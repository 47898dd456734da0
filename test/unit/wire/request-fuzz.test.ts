import { isDeepStrictEqual } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { RequestReader } from "../../../src/wire/request-reader.ts";
import { binaryRequest } from "../../support/models/unary-requests.ts";

const SEED = 20_261_128;
const MESSAGES = 1000;
const DAMAGES = 100;

/** Numbers below `limit`, the same in every run. */
function dice(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  };
}

function read(bytes: Uint8Array): unknown {
  try {
    return fromBinary(PredictRequestSchema, bytes);
  } catch {
    return undefined;
  }
}

test("of 100,000 good and damaged requests each that is read by hand is what protobuf-es reads", () => {
  const reader = new RequestReader();
  const roll = dice(SEED);
  let byHand = 0;
  let refused = 0;
  for (const message of fc.sample(binaryRequest, { seed: SEED, numRuns: MESSAGES })) {
    for (let i = 0; i < DAMAGES; i++) {
      const bytes = damaged(message, i, roll);
      const reference = read(bytes);
      const plain = reader.request(bytes);
      if (reference === undefined) refused++;
      if (plain === undefined) continue;
      byHand++;
      if (!isDeepStrictEqual(plain, reference))
        expect(plain, Buffer.from(bytes).toString("hex")).toEqual(reference);
    }
  }
  expect(byHand).toBeGreaterThan(10_000);
  expect(refused).toBeGreaterThan(10_000);
});

/** The first is as it was; others have octets changed, cut, put in or said twice. */
function damaged(message: Uint8Array, index: number, roll: (limit: number) => number): Uint8Array {
  if (index === 0 || message.length === 0) return message;
  const copy = Buffer.from(message);
  // Most of what protobuf means stands in the first octets.
  const at = roll(roll(2) === 0 ? Math.min(copy.length, 24) : copy.length);
  switch (roll(6)) {
    case 0:
      copy[at] = roll(256);
      return copy;
    case 1:
      copy[at]! ^= 1 << roll(8);
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return Buffer.concat([copy.subarray(0, at), Buffer.of(roll(256)), copy.subarray(at)]);
    case 4:
      return Buffer.concat([copy, copy]);
    default:
      return Buffer.concat([copy, Buffer.from([roll(64), roll(4), roll(256), roll(256)])]);
  }
}
