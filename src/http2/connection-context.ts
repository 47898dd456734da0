import type { Connection } from "./connection.ts";
import type { Http2Counters } from "./counters.ts";
import type { Http2Limits } from "./limits.ts";
import type { StreamHandler } from "./stream.ts";

/** Shared by the connections of an engine. */
export interface ConnectionContext {
  readonly handler: StreamHandler;
  readonly limits: Http2Limits;
  readonly counters: Http2Counters;
  readonly onHandlerError: (error: unknown) => void;
  readonly onClose: (connection: Connection) => void;
}
