import type { PredictStreamRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemResult, ItemStream } from "../scoring.ts";
import { memoryBytes } from "./item-size.ts";
import { turnBudget } from "./turn-budget.ts";

/** Feeds items to a stream as they come and yields its answers; closes it at the end. */
export async function* predictItems(
  items: AsyncIterable<PredictStreamRequest> | Iterable<PredictStreamRequest>,
  stream: ItemStream,
): AsyncGenerator<ItemResult> {
  let waiting: (() => void)[] = [];
  let closed = false;
  const onChange = (): void => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  stream.onChange = onChange;
  const change = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));

  /** Settles by itself: a reader that waits for the peer is ended by the edge, and never throws. */
  async function read(): Promise<void> {
    try {
      for await (const item of items) {
        // What is refused at once never waits for anything else: a list of such items would hold the event loop.
        if (!turnBudget.spend()) await turnBudget.nextTurn();
        const size = { memoryBytes: memoryBytes(item) };
        turnBudget.weigh(size.memoryBytes);
        while (!stream.offer(item, size)) {
          if (closed || stream.isEnding) return;
          await change();
        }
      }
      stream.end();
    } catch (error) {
      stream.end(error);
    }
  }

  void read();
  try {
    for (;;) {
      const answer = stream.take();
      if (answer !== undefined) {
        // There is room now, which the reader may be waiting for.
        stream.onChange();
        if (!turnBudget.spend()) await turnBudget.nextTurn();
        yield answer;
      } else if (stream.outcome !== undefined) {
        if (stream.outcome.error !== undefined) throw stream.outcome.error;
        return;
      } else await change();
    }
  } finally {
    closed = true;
    stream.close();
    stream.onChange();
  }
}
