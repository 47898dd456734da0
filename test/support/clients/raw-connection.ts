import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A TCP connection that sends what a test says and keeps what comes back. */
export interface RawConnection {
  readonly socket: Socket;
  /** What came so far. */
  received(): Buffer;
  write(bytes: string | Uint8Array): void;
  /** Resolves with everything once the peer has closed. */
  closed(): Promise<Buffer>;
  /** Resolves once what came, one character a byte, is what the test waits for. */
  until(matches: (text: string) => boolean): Promise<string>;
}

/** Connects to a port of this machine; the test destroys the socket or waits for its close. */
export async function rawConnection(port: number, allowHalfOpen = false): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  let onChange = () => {};
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    onChange();
  });
  socket.on("error", () => {});
  const end = new Promise<void>((resolve) => {
    socket.once("close", () => {
      resolve();
      onChange();
    });
  });
  const received = () => Buffer.concat(chunks);
  return {
    socket,
    received,
    write: (bytes) => socket.write(bytes),
    closed: () => end.then(received),
    until: (matches) =>
      new Promise((resolve, reject) => {
        onChange = () => {
          const text = received().toString("latin1");
          if (matches(text)) resolve(text);
          else if (socket.destroyed) reject(new Error(`closed after: ${text}`));
        };
        onChange();
      }),
  };
}
