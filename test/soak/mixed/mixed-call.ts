/** One call or stream of the mixed soak: what is sent, what it is meant to be, and what came of it. */
import { COLUMNS, type MixedModels, type ModelName } from "./mixed-models.ts";
import type { Tally } from "./tally.ts";

/** Half are plain, the others are cancelled, short of time, or wrong. */
export type Fate = "plain" | "cancel" | "deadline" | "bad" | "unknown";

/** One message: rows of a number that few others have. */
export interface Item {
  readonly id: number;
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

/** What a way is to send. */
export interface Call {
  readonly model: string;
  readonly items: readonly Item[];
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
  readonly isCompressed: boolean;
}

/** An answer to one item; `reason` where it is an error. */
export type Answer =
  | { readonly values: ArrayLike<number>; readonly version: string | undefined }
  | { readonly reason: string; readonly message: string };

/** One protocol to call with. */
export interface Way {
  readonly name: string;
  /** Most items of a call. */
  readonly mostItems: number;
  /** Most rows of an item. */
  readonly mostRows: number;
  /** Tells each answer as it comes. Throws where the call fails; a WayFailure where the server said why. */
  call(call: Call, answered: (id: number, answer: Answer) => void): Promise<void>;
  close?(): void;
}

/** A call that the server refused, by its reason or, where a protocol has none, its status. */
export class WayFailure extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Reasons that a call of some fate may end with; none is one that any call may. */
const EXPECTED: Readonly<Record<Fate, RegExp>> = {
  plain: /^$/,
  cancel: /^(Canceled|CANCELLED|AbortError)$/,
  deadline: /^(DEADLINE_EXCEEDED|DeadlineExceeded|Canceled|AbortError|HTTP 504)$/,
  bad: /^(INVALID_REQUEST|InvalidArgument|HTTP 400|HTTP 422)$/,
  unknown: /^(MODEL_NOT_FOUND|NotFound|HTTP 404)$/,
};
/** What the calls that a killed process held, or that come while it is replaced, end with: they are sent again. */
const PASSES = /^(INSTANCE_LOST|MODEL_NOT_READY|Unavailable|HTTP 503)$/;
/** A minute: the longest wait of a restart, twice. */
const MOST_ATTEMPTS = 240;
const PAUSE_MS = 250;

let serial = 0;

/** What went wrong, and why: of fetch the cause alone says so. */
export function withCause({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/** Makes a call of one way, judges every answer, and sends again what a killed process lost. */
export async function makeCall(way: Way, models: MixedModels, tally: Tally): Promise<void> {
  const fate = someFate();
  const model: ModelName = models.names[Math.floor(Math.random() * models.names.length)]!;
  const count = 1 + Math.floor(Math.random() * way.mostItems);
  const items = new Map(Array.from({ length: count }, (_, id) => [id, someItem(id, way.mostRows, fate)]));
  const isAnswered = new Set<number>();
  const lowest = models.lowest(model);
  tally.began(way.name, items.values());
  for (let attempt = 1; items.size > 0; attempt++) {
    const again: string[] = [];
    const settle = (id: number, reason: string, message: string): void => {
      tally.error(fate, reason);
      if (EXPECTED[fate].test(reason)) tally.expected(way.name, items.get(id)!);
      else if (PASSES.test(reason) && model === "apart" && attempt < MOST_ATTEMPTS) {
        again.push(reason);
        return;
      } else tally.lost(way.name, items.get(id)!, `${fate} to ${model}: ${reason} ${message}`);
      items.delete(id);
    };
    const answered = (id: number, answer: Answer): void => {
      if (isAnswered.has(id) || !items.has(id)) {
        tally.doubled(way.name, `item ${id} of ${model}`);
        return;
      }
      if ("reason" in answer) {
        settle(id, answer.reason, answer.message);
        return;
      }
      isAnswered.add(id);
      const item = items.get(id)!;
      items.delete(id);
      const wrong =
        fate === "bad" || fate === "unknown"
          ? `${fate} was answered`
          : models.wrongIn(model, item.values, answer, lowest);
      if (wrong === undefined) tally.right(way.name, item);
      else tally.wrong(way.name, `${model}: ${wrong}`);
    };
    const aborter = new AbortController();
    const timer = fate === "cancel" ? setTimeout(() => aborter.abort(), Math.random() * 6) : undefined;
    const call: Call = {
      model: fate === "unknown" ? `nobody${Math.floor(Math.random() * 1e6)}` : model,
      items: [...items.values()],
      signal: aborter.signal,
      timeoutMs: fate === "deadline" ? Math.ceil(Math.random() * 6) : undefined,
      isCompressed: Math.random() < 0.3,
    };
    try {
      await way.call(call, answered);
      if (again.length === 0) {
        for (const item of items.values()) tally.lost(way.name, item, `${fate} to ${model}: no answer came`);
        return;
      }
    } catch (error) {
      const { name } = error as Error;
      const message = withCause(error as Error);
      const reason = error instanceof WayFailure ? error.reason : name;
      for (const id of [...items.keys()]) settle(id, reason, message);
    } finally {
      clearTimeout(timer);
    }
    if (items.size > 0) {
      tally.triedAgain += items.size;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

function someFate(): Fate {
  const chance = Math.random();
  if (chance < 0.76) return "plain";
  return chance < 0.84 ? "cancel" : chance < 0.9 ? "deadline" : chance < 0.97 ? "bad" : "unknown";
}

function someItem(id: number, mostRows: number, fate: Fate): Item {
  const rows = 1 + Math.floor(Math.random() ** 3 * mostRows);
  const columns = fate === "bad" ? COLUMNS - 1 : COLUMNS;
  serial = (serial + rows) % 4_000_000;
  const first = serial;
  const values = Array.from({ length: rows * columns }, (_, i) => first + Math.floor(i / columns));
  return { id, rows, columns, values };
}
