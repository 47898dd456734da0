/** Requests made of one number: a message of the schema or JSON of its shape, damaged, repeated, nested or cut. */
import { gzipSync } from "node:zlib";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { delimited, repeated, varint } from "../support/clients/wire-octets.ts";
import { CENSUS_ROW, type DecodeCase, FORMS, type Payload } from "./decode-case.ts";

/** The case of a seed, always the same. */
export function mutatedCase(seed: number): DecodeCase {
  const random = generator(seed);
  const isJson = random(2) === 0;
  let octets = isJson ? jsonOctets(random) : binaryOctets(random);
  for (let i = random(4); i > 0; i--) octets = damaged(octets, isJson, random);
  const payload: Payload = { name: `seed ${seed}`, isJson, octets };
  const forms = Object.keys(FORMS);
  for (let at = random(forms.length); ; at = (at + 1) % forms.length) {
    const one = FORMS[forms[at]!]!(payload, octets, gzipSync(octets));
    if (one !== undefined) return one;
  }
}

type Random = (below: number) => number;

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

function legalRequest(random: Random) {
  const modelName = ["iris", "census", "", "nothing"][random(4)]!;
  const count = [1, 1, 20, 3000][random(4)]!;
  switch (random(3)) {
    case 0:
      return create(PredictRequestSchema, { modelName, features: new Array(count).fill(1.5) });
    case 1:
      return create(PredictRequestSchema, { modelName, rows: new Array(count).fill(CENSUS_ROW) });
    default:
      return create(PredictRequestSchema, {
        modelName,
        inputs: [
          {
            name: "features",
            datatype: "FP32",
            shape: [BigInt(count), 4n],
            contents: { fp32Contents: new Array(4 * count).fill(0.5) },
          },
        ],
        outputNames: random(2) === 0 ? ["*"] : [],
      });
  }
}

function binaryOctets(random: Random): Buffer {
  const octets = Buffer.from(toBinary(PredictRequestSchema, legalRequest(random)));
  if (random(3) > 0) return octets;
  // Any field with any octets in it, again and again.
  const one =
    random(2) === 0
      ? delimited(1 + random(9), randomOctets(random, random(20)))
      : Buffer.concat([varint((1 + random(9)) * 8 + random(6)), randomOctets(random, random(12))]);
  return Buffer.concat([octets, repeated(one, 1 + random(1 << random(20)))]);
}

function jsonOctets(random: Random): Buffer {
  const text = toJsonString(PredictRequestSchema, legalRequest(random), {
    useProtoFieldName: random(2) === 0,
  });
  if (random(3) > 0) return Buffer.from(text);
  const pieces = [
    "[",
    "{",
    '"a":',
    "1,",
    '"",',
    "null,",
    "[],",
    "{},",
    '{"a":1},',
    "1e9,",
    '"\\u0000",',
    "9007199254740993,",
  ];
  const member = ["features", "rows", "inputs", "output_names", "model_name", "x"][random(6)]!;
  const piece = pieces[random(pieces.length)]!.repeat(1 + random(1 << random(20)));
  const end = ["1]}", "1}]}", "]}", ""][random(4)]!;
  return Buffer.from(`{"${member}":[${piece}${end}`);
}

function damaged(octets: Buffer, isJson: boolean, random: Random): Buffer {
  const at = random(octets.length + 1);
  switch (random(5)) {
    case 0:
      return octets.subarray(0, at);
    case 1: {
      const copy = Buffer.from(octets);
      for (let i = random(5); i >= 0 && copy.length > 0; i--) copy[random(copy.length)] = random(256);
      return copy;
    }
    case 2: {
      const piece = octets.subarray(at, at + 1 + random(200));
      return Buffer.concat([
        octets.subarray(0, at),
        repeated(piece, 1 + random(1 << random(14))),
        octets.subarray(at),
      ]);
    }
    case 3:
      return Buffer.concat([octets.subarray(0, at), randomOctets(random, random(10)), octets.subarray(at)]);
    default:
      // Thirty times as long a text as the longest would be more than V8 can hold.
      return isJson && octets.length < LONGEST_GROWN
        ? Buffer.from(octets.toString().replace(/[0-9]/g, "9".repeat(1 + random(30))))
        : delimited(1 + random(8), octets);
  }
}

const LONGEST_GROWN = 1 << 20;

function randomOctets(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}
