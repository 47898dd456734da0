import { readdirSync, readFileSync } from "node:fs";

/** Of what is free, this part is kept for files, models and connections that are being refused. */
const RESERVED_PART = 4;
const MAX_RESERVED = 128;
/** A look lists every open file, so it is taken seldom, and only when connections have become many. */
const LOOK_MS = 1000;
const LOOK_PART = 4;

/** Reads what the system says of this process's files. */
export interface OpenFilesSource {
  /** `ulimit -n`; Infinity where it cannot be told. */
  limit(): number;
  /** Descriptors that are open now. */
  used(): number;
}

/**
 * The number of connections that the limit of open files allows. Where it is reached the kernel's queue is emptied without a word, so the
 * listener refuses by name before.
 */
export class OpenFiles {
  readonly limit: number;
  private readonly source: OpenFilesSource;
  private allowed = Number.POSITIVE_INFINITY;
  private lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(source: OpenFilesSource = linux) {
    this.source = source;
    this.limit = source.limit();
  }

  /** The most connections, while there are `connectionCount`. */
  maxConnections(connectionCount: number, nowMs: number): number {
    if (connectionCount * LOOK_PART < this.limit) return Number.POSITIVE_INFINITY;
    if (nowMs - this.lookedAtMs > LOOK_MS) {
      this.lookedAtMs = nowMs;
      const free = this.limit - Math.max(0, this.source.used() - connectionCount);
      this.allowed = Math.max(1, free - Math.min(MAX_RESERVED, Math.ceil(free / RESERVED_PART)));
    }
    return this.allowed;
  }
}

const linux: OpenFilesSource = {
  limit() {
    try {
      const limits = readFileSync("/proc/self/limits", "utf8");
      const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
      return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  },
  used() {
    try {
      return readdirSync("/proc/self/fd").length;
    } catch {
      // The list itself needs a descriptor: none is left.
      return this.limit();
    }
  },
};
