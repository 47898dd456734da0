import type { ServerStream } from "../../http2/stream.ts";

/**
 * The `onData` of a stream whose data flow from when somebody listens. A class, because an object literal with accessors would
 * have a hidden class of its own, and V8 would keep stream and request until a full collection.
 */
export class DataListener {
  private handler: ServerStream["onData"] = () => {};
  private readonly begin: () => void;

  /** `begin` is called each time that a listener is set. */
  constructor(begin: () => void) {
    this.begin = begin;
  }

  get onData(): ServerStream["onData"] {
    return this.handler;
  }

  set onData(handler: ServerStream["onData"]) {
    this.handler = handler;
    this.begin();
  }
}
