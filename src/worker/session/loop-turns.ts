/** Runs between two turns of the event loop, in which Node frees what finalizers hold. */
const RUNS_PER_TURN = 256;

/** Of this thread, whatever sessions it has. */
let turn: (() => Promise<void>) | undefined;

/** Lets the event loop of a thread of sessions turn now and then; from its making on `session.run` does not wait for a turn. */
export class LoopTurns {
  readonly #turn: () => Promise<void>;
  #runs = 0;

  constructor() {
    this.#turn = turn ??= turnsOfTheLoop();
  }

  /** To be called for each run; undefined, unless the loop has to turn. */
  afterRun(): Promise<void> | undefined {
    return ++this.#runs % RUNS_PER_TURN === 0 ? this.#turn() : undefined;
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
