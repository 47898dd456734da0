import { deserialize, serialize } from "node:v8";
import { RUN_OK, type SessionStart } from "../channel.ts";
import { frameBytes } from "../frame.ts";
import { type Runner, startFailure, textBytes, writeText } from "../runner.ts";
import { createSlotMemory, type SlotMemory } from "../slot-memory.ts";
import { openModelRunner } from "../trees/open-runner.ts";
import {
  type CarriedPlan,
  MODEL,
  PLAN,
  RUN,
  readAll,
  readHead,
  SOCKET,
  writeMessage,
} from "./process-protocol.ts";

const MAX_FRAME_BYTES = 2 ** 32;

/** Makes the session that comes over SOCKET and serves its runs until the other side says END or is gone. */
export async function serveSocket(): Promise<void> {
  const plan = readBody(PLAN);
  const bytes = readBody(MODEL);
  if (plan === undefined || bytes === undefined) return;
  const start = deserialize(plan) as CarriedPlan;
  const input = createSlotMemory(MAX_FRAME_BYTES);
  const output = createSlotMemory(start.maxOutputBytes);
  const runner = await startRunner({ ...start, bytes }, output);
  if (runner === undefined) return;
  for (let head = readHead(SOCKET); head?.code === RUN; head = readHead(SOCKET)) {
    input.fit(head.byteLength);
    input.note(head.byteLength);
    if (!readAll(SOCKET, new Uint8Array(input.buffer, 0, head.byteLength))) return;
    const status = await runner.run(input.buffer, output);
    const byteLength = status === RUN_OK ? frameBytes(output.buffer) : textBytes(output.buffer);
    writeMessage(SOCKET, status, new Uint8Array(output.buffer, 0, byteLength));
  }
  await runner.close();
}

function readBody(expected: number): Uint8Array | undefined {
  const head = readHead(SOCKET);
  if (head?.code !== expected) return undefined;
  const body = new Uint8Array(head.byteLength);
  return readAll(SOCKET, body) ? body : undefined;
}

async function startRunner(start: SessionStart, memory: SlotMemory): Promise<Runner | undefined> {
  try {
    const runner = await openModelRunner(start);
    writeMessage(SOCKET, RUN_OK, serialize(runner.treeKernel));
    return runner;
  } catch (error) {
    const { reason, message } = startFailure(error);
    const byteLength = writeText(message, memory);
    writeMessage(SOCKET, reason, new Uint8Array(memory.buffer, 0, byteLength));
    return undefined;
  }
}
