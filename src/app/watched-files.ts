import { statSync } from "node:fs";
import { messageOf } from "../errors.ts";
import type { Log } from "../telemetry/log.ts";

/** Files that are read again together, as a certificate and its key are. */
export interface WatchedFiles {
  readonly files: readonly string[];
  /** Reads them; what it throws is told, and what was read before holds on. */
  reread(): void;
}

/** Two looks at the same marks: whoever writes has ended. */
const LOOK_MS = 500;

/** Looks whether files have changed since they were read, also behind links that lead elsewhere by now; its closer is `close`. */
export class FileWatching {
  private readonly groups: { readonly watched: WatchedFiles; read: string; seen: string }[];
  private readonly log: Log;
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(watched: readonly WatchedFiles[], log: Log) {
    this.log = log;
    this.groups = watched.map((one) => {
      const mark = markOf(one.files);
      return { watched: one, read: mark, seen: mark };
    });
    if (watched.length > 0) this.timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** Reads all files now, whatever their marks. */
  rereadAll(): void {
    for (const group of this.groups) {
      group.read = group.seen = markOf(group.watched.files);
      this.reread(group.watched);
    }
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    for (const group of this.groups) {
      const mark = markOf(group.watched.files);
      const isStill = mark === group.seen;
      group.seen = mark;
      if (!isStill || mark === group.read) continue;
      group.read = mark;
      this.reread(group.watched);
    }
  }

  private reread(watched: WatchedFiles): void {
    try {
      watched.reread();
    } catch (error) {
      const { files } = watched;
      this.log.error(
        { files },
        `what lies there is not taken, and what was read before holds on: ${messageOf(error)}`,
      );
    }
  }
}

function markOf(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { mtimeMs, ctimeMs, size, ino } = statSync(file);
        return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
      } catch {
        return "gone";
      }
    })
    .join("\n");
}
