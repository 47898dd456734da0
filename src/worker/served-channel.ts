import type { MessagePort } from "node:worker_threads";
import {
  EXIT,
  INPUT_MAIL,
  OUTPUT_MAIL,
  REQUEST,
  RESPONSE,
  SLOT,
  SLOT_COUNT,
  STATUS,
  sendMemory,
  takeMemory,
  type WorkerStart,
} from "./channel.ts";
import type { Runner } from "./runner.ts";
import { createSlotMemory, type SlotMemory } from "./slot-memory.ts";

/** The worker's end of a channel and the runner behind it: answers one request at a time. Its closer is `close`. */
export class ServedChannel {
  readonly words: Int32Array;
  /** The number of the latest request that was taken. */
  request = 0;
  readonly #port: MessagePort;
  readonly #runner: Runner;
  readonly #inputs: SharedArrayBuffer[];
  readonly #outputs: readonly SlotMemory[];

  constructor(
    { control, port, maxOutputBytes }: Pick<WorkerStart, "control" | "port" | "maxOutputBytes">,
    runner: Runner,
  ) {
    this.words = new Int32Array(control);
    this.#port = port;
    this.#runner = runner;
    this.#inputs = new Array<SharedArrayBuffer>(SLOT_COUNT).fill(new SharedArrayBuffer(0));
    this.#outputs = this.#inputs.map(() => createSlotMemory(maxOutputBytes));
  }

  /** A request lies there that was not taken. */
  get isAsked(): boolean {
    return Atomics.load(this.words, REQUEST) !== this.request;
  }

  /**
   * Takes the request and runs it; false where it was EXIT. `beforeRun` is called with the frame's memory, `beforeAnswer` between
   * the run and its answer. Rejects where the runner cannot go on.
   */
  async answer(
    beforeRun: (memory: SharedArrayBuffer) => void,
    beforeAnswer: () => void = nothing,
  ): Promise<boolean> {
    const { words } = this;
    const request = Atomics.load(words, REQUEST);
    this.request = request;
    const slot = Atomics.load(words, SLOT);
    if (slot === EXIT) return false;
    takeMemory(words, this.#port, INPUT_MAIL, this.#inputs);
    const memory = this.#inputs[slot]!;
    const output = this.#outputs[slot]!;
    const { buffer } = output;
    beforeRun(memory);
    const status = await this.#runner.run(memory, output);
    if (output.buffer !== buffer) sendMemory(words, this.#port, OUTPUT_MAIL, slot, output.buffer);
    beforeAnswer();
    Atomics.store(words, STATUS, status);
    Atomics.store(words, RESPONSE, request);
    Atomics.notify(words, RESPONSE);
    return true;
  }

  /** The runner, which other channels may share, is freed by whoever made it. */
  close(): void {
    this.#port.close();
  }
}

function nothing(): void {}
