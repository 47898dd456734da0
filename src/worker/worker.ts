/**
 * The worker owns one runner in a thread of its own, because ONNX Runtime's `run` blocks the thread it is called on.
 * Comes in: frames of inputs in shared memory. Goes out: frames of outputs, or a Reason and a text, in shared memory.
 * Promises: one run at a time; a run that fails does not end the worker; whatever else goes wrong ends the thread, which the
 * pool notices; EXIT frees the runner and ends the thread, also after a run that was given up long before.
 */
import { readlinkSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import {
  EXIT,
  INPUT_MAIL,
  OUTPUT_MAIL,
  REQUEST,
  RESPONSE,
  SLOT,
  SLOT_COUNT,
  STATUS,
  type StartMessage,
  sendMemory,
  takeMemory,
  type WorkerStart,
} from "./channel.ts";
import { type Runner, startFailure } from "./runner.ts";
import { openSessionRunner } from "./session/session-runner.ts";
import { createSlotMemory } from "./slot-memory.ts";

/** Serves runs until EXIT. `beforeRun` is called with each frame's memory before it is run. */
export async function serveRuns(
  start: WorkerStart,
  beforeRun: (memory: SharedArrayBuffer) => void = () => {},
  openRunner: (start: WorkerStart) => Promise<Runner> = openSessionRunner,
): Promise<void> {
  tell({ kind: "thread", threadId: threadId() });
  const runner = await startRunner(() => openRunner(start));
  if (runner === undefined) return;
  const { control, port, maxOutputBytes } = start;
  const words = new Int32Array(control);
  const inputs: SharedArrayBuffer[] = new Array<SharedArrayBuffer>(SLOT_COUNT).fill(new SharedArrayBuffer(0));
  const outputs = inputs.map(() => createSlotMemory(maxOutputBytes));
  for (let request = 0; ; ) {
    if (runner.needsTurns) await Atomics.waitAsync(words, REQUEST, request).value;
    else Atomics.wait(words, REQUEST, request);
    if (Atomics.load(words, REQUEST) === request) continue;
    request = Atomics.load(words, REQUEST);
    const slot = Atomics.load(words, SLOT);
    if (slot === EXIT) break;
    takeMemory(words, port, INPUT_MAIL, inputs);
    const memory = inputs[slot]!;
    const output = outputs[slot]!;
    const { buffer } = output;
    beforeRun(memory);
    const status = await runner.run(memory, output);
    if (output.buffer !== buffer) sendMemory(words, port, OUTPUT_MAIL, slot, output.buffer);
    Atomics.store(words, STATUS, status);
    Atomics.store(words, RESPONSE, request);
    Atomics.notify(words, RESPONSE);
  }
  await runner.close();
  port.close();
}

async function startRunner(open: () => Promise<Runner>): Promise<Runner | undefined> {
  try {
    const runner = await open();
    tell({ kind: "ready" });
    return runner;
  } catch (error) {
    tell({ kind: "failed", ...startFailure(error) });
    return undefined;
  }
}

function tell(message: StartMessage): void {
  parentPort?.postMessage(message);
}

/** The system's number of this thread; 0 where it does not tell, as outside Linux. */
function threadId(): number {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}
