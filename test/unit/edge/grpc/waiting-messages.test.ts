import { expect, test } from "vitest";
import type { ArrivedMessage } from "../../../../src/edge/grpc/arrived-message.ts";
import { WaitingMessages } from "../../../../src/edge/grpc/waiting-messages.ts";

/** Messages of `length` octets behind a prefix of five, one a piece; what was taken apart so far. */
function setUp(length: number) {
  const apart: number[] = [];
  let rest = Buffer.alloc(0);
  const waiting = new WaitingMessages((bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 + length) {
      apart.push(rest[0]!);
      const message = { flags: rest[0], lease: { bytes: new Uint8Array(length) } };
      waiting.add(message as unknown as ArrivedMessage);
      rest = rest.subarray(5 + length);
    }
  });
  const send = (number: number) => waiting.take(new Uint8Array(5 + length).fill(number));
  return { waiting, apart, send };
}

test("messages come out in order, however many wait", () => {
  for (const length of [0, 3, 2000]) {
    const { waiting, send } = setUp(length);
    for (let i = 0; i < 5000; i++) send(i % 251);
    for (let i = 0; i < 5000; i++) expect(waiting.next()?.flags).toBe(i % 251);
    expect(waiting.next()).toBeUndefined();
    send(7);
    expect(waiting.next()?.flags).toBe(7);
  }
});

test("short messages stay together behind a thousand, long ones are taken apart as they come", () => {
  const short = setUp(0);
  for (let i = 0; i < 5000; i++) short.send(1);
  expect(short.apart.length).toBe(1024);
  const long = setUp(2000);
  for (let i = 0; i < 5000; i++) long.send(1);
  expect(long.apart.length).toBe(5000);
});

test("what was not taken apart can be forgotten", () => {
  const { waiting, send } = setUp(0);
  for (let i = 0; i < 2000; i++) send(1);
  waiting.dropRest();
  let count = 0;
  while (waiting.next() !== undefined) count++;
  expect(count).toBe(1024);
});
