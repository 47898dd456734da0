import type { Socket } from "node:net";

interface HandledSocket extends Socket {
  _handle?: { readonly writeQueueSize?: number } | null;
}

/** A text that changes whenever the kernel has taken more of what was written, even a part of one write. */
export function socketProgress(socket: Socket): string {
  const inKernelsHand = (socket as HandledSocket)._handle?.writeQueueSize ?? 0;
  return `${socket.bytesWritten - socket.writableLength} ${inKernelsHand}`;
}
