import { ProtocolError } from "@platformatic/kafka";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BatchLimits,
  messageBytes,
  messageRefusal,
  SiftedRound,
} from "../../../../src/consume/brokers/sifted-round.ts";
import type { OutputMessage } from "../../../../src/consume/records/input-record.ts";

function message(topic: string, partition: number, bytes: number, isBad = false): OutputMessage {
  const key = isBad ? Buffer.from("bad") : null;
  return { topic, partition, timestamp: 0n, key, value: Buffer.alloc(bytes), headers: new Map() };
}

/** What a broker takes, and how many rounds it took until all was written. */
function writeAll(messages: OutputMessage[], mostBytes: number) {
  const lessened = new Set<number>();
  const sifted = new SiftedRound(messages, new BatchLimits(), (place, current) => {
    if (current.topic === "dead") return undefined;
    lessened.add(place);
    return message("dead", current.partition, 0);
  });
  for (let attempt = 1; ; attempt++) {
    const refused = sifted.lists().flatMap((list) => {
      const batch = list.places.map((place) => sifted.messages[place]!);
      if (list.bytes > mostBytes) return [{ list, name: "MESSAGE_TOO_LARGE" }];
      return batch.some(({ key }) => key !== null) ? [{ list, name: "INVALID_RECORD" }] : [];
    })[0];
    if (refused === undefined) return { sifted, lessened, attempt };
    expect(sifted.refuse(refused.list, refused.name)).toBe(true);
  }
}

test("only what the brokers refuse is replaced, and each partition keeps its order", () => {
  const one = fc.record({
    partition: fc.integer({ min: 0, max: 3 }),
    bytes: fc.integer({ min: 0, max: 400_000 }),
    isBad: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 60 }), fc.integer({ min: 100, max: 1_000_000 }), (rows, most) => {
      const messages = rows.map(({ partition, bytes, isBad }) => message("out", partition, bytes, isBad));
      const { sifted, lessened } = writeAll(messages, most);
      const culprits = messages.flatMap((each, place) =>
        each.key !== null || messageBytes(each) > most ? [place] : [],
      );
      expect([...lessened].sort((a, b) => a - b)).toEqual(culprits);
      const places = sifted.lists().map((list) => list.places);
      expect(places.flat().sort((a, b) => a - b)).toEqual(messages.map((_, place) => place));
      for (let partition = 0; partition < 4; partition++) {
        for (const topic of ["out", "dead"]) {
          const own = places.flat().filter((place) => {
            const each = sifted.messages[place]!;
            return each.topic === topic && each.partition === partition;
          });
          expect(own).toEqual([...own].sort((a, b) => a - b));
        }
      }
    }),
  );
});

test("one bad row of thousands, and a topic that takes only small batches, are found in a few rounds", () => {
  const bad = Array.from({ length: 5000 }, (_, place) => message("out", 0, 100, place === 3210));
  expect(writeAll(bad, 1_000_000).attempt).toBeLessThan(20);
  const small = Array.from({ length: 5000 }, () => message("out", 0, 1000));
  expect(writeAll(small, 20_000)).toMatchObject({ lessened: new Set() });
  expect(writeAll(small, 20_000).attempt).toBeLessThan(10);
  expect(writeAll(small, 500).attempt).toBeLessThan(25);
});

test("a topic that refuses even the least is told", () => {
  const sifted = new SiftedRound([message("out", 0, 10)], new BatchLimits(), () => undefined);
  expect(sifted.refuse(sifted.lists()[0]!, "MESSAGE_TOO_LARGE")).toBe(false);
});

test("refusals of a message are told from other troubles", () => {
  expect(messageRefusal(new ProtocolError("RECORD_LIST_TOO_LARGE"))).toBe("RECORD_LIST_TOO_LARGE");
  expect(messageRefusal(new ProtocolError("TOPIC_AUTHORIZATION_FAILED"))).toBeUndefined();
  expect(messageRefusal(new Error("lost"))).toBeUndefined();
});
