import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import type { Redis } from "ioredis";
import type { FeatureStore, KeyTexts, StoredRow } from "./feature-store.ts";
import { redisUrl } from "./store-url.ts";

/** Options of a store in Redis or Valkey. */
export interface RedisOptions {
  /** With its password: never shown. */
  readonly url: string;
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** `customers:{customer_id}` and the names of its keys. */
  readonly keyTemplate: string;
  readonly keyNames: readonly string[];
  /** The fields of a hash, in the order of the answer. */
  readonly fields: readonly string[];
  /** How long one look-up may take: a connection that is silent for several of them is given up. */
  readonly timeoutMs: number;
}

/** ioredis's word for a connection that has ended, for whatever reason. */
const CLOSED = "Connection is closed.";
const CONNECT_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
/** A connection whose other end has gone without a word looks like one that is slow. */
const SILENT_TIMEOUTS = 10;
const LEAST_SILENT_MS = 1_000;

/** Hashes of Redis or Valkey, by one pipeline of HMGET a round trip. One connection, which comes back by itself. */
export class RedisStore implements FeatureStore {
  private readonly options: RedisOptions;
  private readonly keyOf: (texts: KeyTexts) => string;
  private client: Redis | undefined = undefined;
  private lastError: Error | undefined = undefined;
  private closed = false;

  constructor(options: RedisOptions) {
    this.options = options;
    this.keyOf = keyMaker(options.keyTemplate, options.keyNames);
  }

  async open(): Promise<void> {
    const { url, tls, timeoutMs } = this.options;
    const { Redis } = await import("ioredis");
    if (this.closed) return;
    const onError = (error: Error): void => {
      // What follows the reason of a lost connection says less.
      if (error.message !== CLOSED) this.lastError = error;
    };
    const client = new Redis(redisUrl(url), {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: Math.max(LEAST_SILENT_MS, SILENT_TIMEOUTS * timeoutMs),
      // Nobody waits for a store that is away: what is asked meanwhile fails at once, and nothing is sent twice.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times) => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(times, 10)),
      disableClientInfo: true,
      ...(tls === undefined ? {} : { tls }),
    });
    client.on("error", onError);
    this.client = client;
    // The first call is not to wait for the connection; a store that is down is told by look-ups.
    await Promise.race([
      client.connect().catch(onError),
      delay(CONNECT_TIMEOUT_MS, undefined, { ref: false }),
    ]);
  }

  async lookUp(keys: readonly KeyTexts[]): Promise<readonly StoredRow[]> {
    const client = await this.connected();
    const { fields } = this.options;
    const pipeline = client.pipeline();
    for (const texts of keys) pipeline.hmget(this.keyOf(texts), ...fields);
    const answers = await pipeline.exec();
    if (answers === null) throw new Error("the connection was lost");
    const rows = answers.map(asRow);
    const first = rows[0];
    // What is refused for every key is a fault of the store: it is loading, or wants a password.
    if (first instanceof Error && rows.every((row) => row instanceof Error)) throw first;
    return rows;
  }

  close(): void {
    this.closed = true;
    this.client?.disconnect();
  }

  private async connected(): Promise<Redis> {
    const { client } = this;
    if (client === undefined) throw new Error("it is not connected yet");
    if (client.status === "ready") return client;
    if (client.status === "connecting" || client.status === "connect") {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          client.off("ready", done);
          client.off("close", done);
          resolve();
        };
        client.on("ready", done);
        client.on("close", done);
      });
    }
    if ((client.status as string) === "ready") return client;
    throw this.lastError ?? new Error("it is not connected");
  }
}

type Answer = readonly [error: Error | null, value: unknown];

/** A hash that has none of the fields is none. */
function asRow([error, value]: Answer): StoredRow {
  if (error !== null) return error;
  const values = value as readonly (string | null)[];
  return values.every((one) => one === null) ? undefined : values.map((one) => one ?? undefined);
}

/**
 * Makes the hash's key of a row's. Of several keys each is written so that it has no colon (`%3A`; a percent sign is `%25`): two rows
 * never share a hash.
 */
export function keyMaker(template: string, names: readonly string[]): (texts: KeyTexts) => string {
  const parts = template.split(/\{([^}]*)\}/);
  const isEscaped = names.length > 1;
  return (texts) => {
    let key = "";
    for (let i = 0; i < parts.length; i++) {
      if (i % 2 === 0) key += parts[i]!;
      else {
        const text = texts[names.indexOf(parts[i]!)]!;
        key += isEscaped ? text.replaceAll("%", "%25").replaceAll(":", "%3A") : text;
      }
    }
    return key;
  };
}
