import { connect } from "node:net";

/** What became of a connection on which a test sent what it liked. */
export interface Http1Exchange {
  /** The answers, without what differs between two servers that do the same: Date, made-up ids, the order and case of fields. */
  readonly answers: string;
  /** Who ended it: the server by FIN, or by a reset; or it waits for the rest of a body whose call was answered. */
  readonly fate: "end" | "reset" | "open";
}

/**
 * Sends pieces, each as a write of its own, and waits until the server has ended the connection, or has answered that a body is late.
 * With `halfClose` nothing follows the pieces.
 */
export function http1Exchange(
  port: number,
  pieces: readonly (string | Buffer)[],
  halfClose = false,
): Promise<Http1Exchange> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    let received = "";
    const settle = (fate: Http1Exchange["fate"]): void => {
      resolve({ answers: normalized(received), fate });
      socket.destroy();
    };
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (received.includes("body-timeout-ms")) settle("open");
    });
    socket.on("end", () => settle("end"));
    socket.on("error", () => settle("reset"));
    socket.on("connect", () => {
      const left = [...pieces];
      const next = (): void => {
        const piece = left.shift();
        if (piece === undefined && halfClose) socket.end();
        if (piece === undefined || socket.destroyed) return;
        // Behind a turn, so that the server reads it by itself.
        socket.write(piece, () => setImmediate(next));
      };
      next();
    });
  });
}

/** Answers as two servers that do the same give them. */
function normalized(text: string): string {
  return text
    .replace(/^date: .*$/gim, "date: D")
    .replace(/^x-request-id: [0-9a-f]{12}-\w+$/gim, "x-request-id: I")
    .replace(/(HTTP\/1\.1 \d[^\r]*\r\n)([\s\S]*?)\r\n\r\n/g, (_, line: string, fields: string) => {
      const lines = fields.split("\r\n").map((field) => {
        const colon = field.indexOf(":");
        return field.slice(0, colon).toLowerCase() + field.slice(colon);
      });
      return `${line}${lines.sort().join("\r\n")}\r\n\r\n`;
    });
}
