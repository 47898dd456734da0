import type { Socket } from "node:net";
import { socketProgress } from "../../http2/frame/node-socket.ts";

/** How a peer takes what is written to it. */
export class AnswerProgress {
  private readonly socket: Socket;
  private progress = "";
  private progressAtMs = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Since when the peer has taken nothing of what waits for it; `nowMs` where it takes. */
  stalledSince(nowMs: number): number {
    const progress = this.socket.writableLength === 0 ? "" : socketProgress(this.socket);
    if (progress === "" || progress !== this.progress) {
      this.progress = progress;
      this.progressAtMs = nowMs;
    }
    return this.progressAtMs;
  }
}
