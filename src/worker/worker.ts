/**
 * The worker owns one InferenceSession in a thread of its own, because ONNX Runtime's `run` blocks the thread it is called on.
 * Comes in: frames of inputs in shared memory. Goes out: frames of outputs, or a Reason and a text, in shared memory.
 * Promises: one run at a time; a run that fails does not end the worker; whatever else goes wrong ends the thread, which the
 * pool notices; EXIT releases the session and ends the thread.
 */
import { Buffer } from "node:buffer";
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { sessionName } from "../model/session-names.ts";
import {
  EXIT,
  INPUT_MAIL,
  type MemoryMessage,
  OUTPUT_MAIL,
  REQUEST,
  RESPONSE,
  RUN_OK,
  SLOT,
  SLOT_COUNT,
  STATUS,
  type StartMessage,
  type WorkerStart,
} from "./channel.ts";
import { readHeader } from "./frame.ts";
import { writeOutputs } from "./output-frame.ts";
import { createSession, runSession } from "./session.ts";
import { createSlotMemory, type SlotMemory } from "./slot-memory.ts";

/** Runs between two turns of the event loop, in which Node frees what finalizers hold. */
const RUNS_PER_TURN = 256;

/** Serves runs until EXIT. `beforeRun` is called with each frame's memory before it is run. */
export async function serveRuns(
  plan: WorkerStart,
  beforeRun: (memory: SharedArrayBuffer) => void = () => {},
): Promise<void> {
  const start: WorkerStart = {
    ...plan,
    inputNames: plan.inputNames.map(sessionName),
    outputNames: plan.outputNames.map(sessionName),
  };
  const session = await startSession(start);
  if (session === undefined) return;
  const { control, port, outputNames, maxOutputBytes } = start;
  const words = new Int32Array(control);
  const inputs: SharedArrayBuffer[] = new Array<SharedArrayBuffer>(SLOT_COUNT).fill(new SharedArrayBuffer(0));
  const outputs = inputs.map(() => createSlotMemory(maxOutputBytes));
  const turn = turnsOfTheLoop();
  for (let request = 0; ; ) {
    Atomics.wait(words, REQUEST, request);
    if (Atomics.load(words, REQUEST) === request) continue;
    request = Atomics.load(words, REQUEST);
    const slot = Atomics.load(words, SLOT);
    if (slot === EXIT) break;
    for (; Atomics.load(words, INPUT_MAIL) > 0; Atomics.sub(words, INPUT_MAIL, 1)) {
      const mail = receiveMessageOnPort(port)?.message as MemoryMessage;
      inputs[mail.slot] = mail.memory;
    }
    const memory = inputs[slot]!;
    const output = outputs[slot]!;
    const { buffer } = output;
    let status: number = RUN_OK;
    try {
      beforeRun(memory);
      const results = await runSession(session, start, memory, readHeader(memory));
      writeOutputs(results, outputNames, output, maxOutputBytes);
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      status = error.reason;
      writeText(error.message, output);
    }
    if (output.buffer !== buffer) {
      port.postMessage({ kind: "memory", slot, memory: output.buffer } satisfies MemoryMessage);
      Atomics.add(words, OUTPUT_MAIL, 1);
    }
    Atomics.store(words, STATUS, status);
    Atomics.store(words, RESPONSE, request);
    Atomics.notify(words, RESPONSE);
    if (request % RUNS_PER_TURN === 0) await turn();
  }
  await session.release();
  port.close();
}

async function startSession(start: WorkerStart): Promise<InferenceSession | undefined> {
  let session: InferenceSession | undefined;
  let message: StartMessage = { kind: "ready" };
  try {
    session = await createSession(start);
  } catch (error) {
    const reason = error instanceof AssayError ? error.reason : Reason.INTERNAL;
    message = { kind: "failed", reason, message: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(message);
  return session;
}

/**
 * `session.run` puts its blocking call off to the next turn of the event loop, which frees nobody here and costs a quarter of a
 * small run: from now on this thread's `setImmediate` calls at once. Returns a true turn of the loop.
 */
function turnsOfTheLoop(): () => Promise<void> {
  const nextTurn = globalThis.setImmediate;
  const callAtOnce = (callback: () => void): void => callback();
  Object.assign(globalThis, { setImmediate: callAtOnce });
  return () => new Promise((resolve) => nextTurn(resolve));
}

/** An error's text: its length in bytes, then UTF-8. */
function writeText(text: string, memory: SlotMemory): void {
  const bytes = Buffer.from(text.slice(0, 4096), "utf8");
  memory.fit(bytes.length + 4);
  new Int32Array(memory.buffer, 0, 1)[0] = bytes.length;
  new Uint8Array(memory.buffer, 4).set(bytes);
}
