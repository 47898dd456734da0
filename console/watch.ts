/** The one stream of figures: open while the page is seen, opened again where it ends. */
import type { WatchFiguresResponse } from "../gen/assay/v1/console_service_pb.ts";
import { figures } from "./server.ts";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Who hears of figures. */
export interface FigureListener {
  take(message: WatchFiguresResponse): void;
  lost(error: unknown): void;
}

/** Watches until the page goes; a call of what it returns begins anew at once. */
export function watchFigures(listener: FigureListener): () => void {
  let end = new AbortController();
  let waitMs = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function watch({ signal }: AbortController): Promise<void> {
    try {
      for await (const message of figures.watchFigures({}, { signal })) {
        waitMs = FIRST_WAIT_MS;
        listener.take(message);
      }
      throw new Error("the server ended the stream");
    } catch (error) {
      if (signal.aborted) return;
      listener.lost(error);
      timer = setTimeout(begin, waitMs);
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
    }
  }

  function begin(): void {
    clearTimeout(timer);
    end.abort();
    end = new AbortController();
    if (!document.hidden) void watch(end);
  }

  document.addEventListener("visibilitychange", begin);
  begin();
  return begin;
}
