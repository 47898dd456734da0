import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { collect } from "../../support/clients/command.ts";

/** A foreign client that reads one JSON command a line and answers one JSON line each, in order. */
export interface LineClient {
  /** Sends a command and waits for its answer; throws with the client's stderr if it ends instead. */
  call<Answer>(command: object): Promise<Answer>;
  /** Closes its input and waits for its end; the caller must end it. */
  close(): Promise<void>;
}

/** Starts a client program. */
export function startLineClient(command: string, args: readonly string[]): LineClient {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const printed = collect(child);
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async call(message) {
      child.stdin.write(`${JSON.stringify(message)}\n`);
      const line = await lines.next();
      if (line.done) throw new Error(`the client ended:\n${printed().stderr}`);
      return JSON.parse(line.value);
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
