/** What the engines take from Node's sockets beyond their public interface, each with a way on where a Node has it not. */

import type { Socket } from "node:net";

const READ_BYTES = 262_144;

// Node's own fields: those of the `onread` option of `net.Socket`, which a server cannot pass for the sockets it
// accepts, and the length of libuv's queue.
interface HandledSocket extends Socket {
  _handle?: { useUserBuffer?: (buffer: Uint8Array) => void; readonly writeQueueSize?: number } | null;
  [field: symbol]: unknown;
}

// One for all connections: a chunk is used up before the callback returns, and nothing else reads in between.
let shared: Buffer | undefined;

/** A socket that is read; ends with it, or before. */
export interface SocketReading {
  /** Reads no more: from now on the socket, which is paused, is anybody's, and has "data" events. */
  stop(): void;
}

/**
 * Gives `take` each chunk that the socket reads, valid until it returns. Cleartext sockets read into one shared buffer
 * where this Node lets them: else it allocates 64 KiB for every read, which the collector then pays for (a quarter of a
 * bulk stream's CPU). Bytes that wait on the socket already come first, at the end of this turn; sockets without such fields,
 * and encrypted ones, are read by "data" events. `maxBytes`: of one chunk, at most 256 KiB.
 */
export function readSocket(
  socket: Socket,
  take: (chunk: Buffer) => void,
  maxBytes = READ_BYTES,
): SocketReading {
  const target = socket as HandledSocket;
  const plain: SocketReading = { stop: () => void socket.off("data", take) };
  const waiting: Buffer | null = socket.readableLength > 0 ? socket.read() : null;
  if (waiting !== null) process.nextTick(take, waiting);
  socket.on("data", take);
  const fields = Object.getOwnPropertySymbols(socket);
  const bufferField = fields.find((field) => field.description === "kBuffer");
  const callbackField = fields.find((field) => field.description === "kBufferCb");
  if (bufferField === undefined || callbackField === undefined) return plain;
  if ("encrypted" in socket || typeof target._handle?.useUserBuffer !== "function") return plain;
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  const buffer = maxBytes < READ_BYTES ? shared.subarray(0, maxBytes) : shared;
  target[bufferField] = buffer;
  target[callbackField] = (byteCount: number) => {
    take(buffer.subarray(0, byteCount));
    return true;
  };
  target._handle.useUserBuffer(buffer);
  return {
    stop() {
      plain.stop();
      // The handle reads into the shared buffer for the rest of its life: what it reads is copied out for the "data" events.
      target[callbackField] = (byteCount: number) => socket.push(Buffer.from(buffer.subarray(0, byteCount)));
    },
  };
}

/** A text that changes whenever the kernel has taken more of what was written, even a part of one write. */
export function socketProgress(socket: Socket): string {
  const inKernelsHand = (socket as HandledSocket)._handle?.writeQueueSize ?? 0;
  return `${socket.bytesWritten - socket.writableLength} ${inKernelsHand}`;
}
