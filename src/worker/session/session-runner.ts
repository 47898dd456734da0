import type { InferenceSession } from "onnxruntime-node";
import { AssayError } from "../../errors.ts";
import { sessionName } from "../../model/repair/session-names.ts";
import { RUN_OK, type SessionStart } from "../channel.ts";
import { readHeader } from "../frame.ts";
import { type Runner, writeText } from "../runner.ts";
import type { SlotMemory } from "../slot-memory.ts";
import { writeOutputs } from "./output-frame.ts";
import { createSession, runSession } from "./session.ts";

/** Runs between two turns of the event loop, in which Node frees what finalizers hold. */
const RUNS_PER_TURN = 256;

/** Of this thread, whatever sessions it has. */
let turn: (() => Promise<void>) | undefined;

/** Makes a session in this thread. Throws MODEL_INVALID or DEVICE_UNAVAILABLE. */
export async function openSessionRunner(plan: SessionStart): Promise<Runner> {
  const start: SessionStart = {
    ...plan,
    inputNames: plan.inputNames.map((name, index) => sessionName(name, plan.inputDatatypes[index])),
    outputNames: plan.outputNames.map((name, index) => sessionName(name, plan.outputDatatypes[index])),
  };
  const session = await createSession(start);
  // The session has its own: a process need not keep what it was made of.
  return new SessionRunner(session, { ...start, bytes: new Uint8Array(0) });
}

class SessionRunner implements Runner {
  readonly needsTurns = false;
  readonly #session: InferenceSession;
  readonly #start: SessionStart;
  readonly #turn: () => Promise<void>;
  #runs = 0;

  constructor(session: InferenceSession, start: SessionStart) {
    this.#session = session;
    this.#start = start;
    this.#turn = turn ??= turnsOfTheLoop();
  }

  async run(memory: SharedArrayBuffer, output: SlotMemory): Promise<number> {
    if (++this.#runs % RUNS_PER_TURN === 0) await this.#turn();
    try {
      const results = await runSession(this.#session, this.#start, memory, readHeader(memory));
      writeOutputs(results, this.#start, output, this.#start.maxOutputBytes);
      return RUN_OK;
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      writeText(error.message, output);
      return error.reason;
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
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
