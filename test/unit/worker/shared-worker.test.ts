import { MessageChannel, type MessagePort } from "node:worker_threads";
import { expect, test } from "vitest";
import {
  BELL_MAIL,
  BELL_WORDS,
  CONTROL_WORDS,
  INPUT_MAIL,
  REQUEST,
  RUN_OK,
  type SharedMail,
  sendMemory,
  TAKEN,
  type WorkerStart,
} from "../../../src/worker/channel.ts";
import type { Runner } from "../../../src/worker/runner.ts";
import { serveShared } from "../../../src/worker/shared-worker.ts";

/** A caller's end whose requests are raised by the test; its first input is its number. */
function openChannel(number: number) {
  const words = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  const { port1, port2 } = new MessageChannel();
  sendMemory(words, port1, INPUT_MAIL, 0, new Int32Array(new SharedArrayBuffer(4)).fill(number).buffer);
  return { words, near: port1, far: port2, raise: () => Atomics.add(words, REQUEST, 1) };
}

test("a thread runs one request of each channel in turn, though one is asked again before its run ends", async () => {
  const bell = new Int32Array(new SharedArrayBuffer(BELL_WORDS * 4));
  const { port1, port2 } = new MessageChannel();
  const send = (mail: SharedMail, transfer: MessagePort[] = []) => {
    port1.postMessage(mail, transfer);
    Atomics.add(bell, BELL_MAIL, 1);
  };
  const channels = [0, 1, 2].map(openChannel);
  const [eager, ...others] = channels;
  const order: number[] = [];
  const runner: Runner = {
    needsTurns: false,
    treeKernel: undefined,
    async run(memory) {
      const number = new Int32Array(memory)[0]!;
      const { words } = channels[number]!;
      expect(Atomics.load(words, TAKEN)).toBe(Atomics.load(words, REQUEST));
      order.push(number);
      eager!.raise();
      if (order.length % 5 === 0) for (const { raise } of others) raise();
      if (order.length === 60) send({ kind: "end" });
      return RUN_OK;
    },
    async close() {},
  };
  const start = {
    control: eager!.words.buffer,
    port: eager!.far,
    bytes: new Uint8Array(0),
    maxOutputBytes: 64,
  };
  send({ kind: "open", seat: 1, start: start as unknown as WorkerStart, isAlone: true }, [start.port]);
  for (const { words, far } of others)
    send({ kind: "join", seat: 1, channel: { control: words.buffer as SharedArrayBuffer, port: far } }, [
      far,
    ]);
  eager!.raise();
  await serveShared({ bell: bell.buffer, port: port2 }, undefined, async () => runner);
  for (let at = 5; at < 55; at += 5) expect(order.slice(at, at + 3)).toEqual(expect.arrayContaining([1, 2]));
  for (const { near } of channels) near.close();
  port1.close();
});
