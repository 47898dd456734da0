import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { startChildServer } from "../clients/child-process.ts";
import { echoModels, type LargeMessage } from "../clients/large-messages.ts";

/** A hundred, and room for a machine with other work. */
const LONGEST_STALL_MS = 150;
const TRIES = 3;
/** Statuses of HTTP and gRPC. */
const TAKEN = [0, 200];
const REFUSED = [4, 8, 429, 503, 504];

/** A server for large messages in a process of its own; whoever started it closes it. */
export interface EchoServer {
  /**
   * Sends one, or several at once, of which the answers and the longest stall of the event loop are judged; the best of some tries.
   * Of several some may be refused or run out of time, since the queue and memory are bounded and a machine has other work, but one.
   */
  judge(message: LargeMessage, atOnce?: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts one over the example models and `echoModels`. */
export async function startEchoServer(): Promise<EchoServer> {
  const folder = mkdtempSync(join(tmpdir(), "assay-large-"));
  cpSync(new URL("../../../models", import.meta.url), folder, { recursive: true });
  for (const { modelName, bytes } of echoModels()) {
    const version = join(folder, modelName, "1");
    mkdirSync(version, { recursive: true });
    writeFileSync(join(version, "model.onnx"), bytes);
  }
  const server = await startChildServer({ models: folder });
  return {
    async judge({ prepare, leastOctets }, atOnce = 1) {
      const send = prepare();
      let shortestMs = Number.POSITIVE_INFINITY;
      for (let i = 0; i < TRIES && shortestMs > LONGEST_STALL_MS; i++) {
        await server.longestStallMs();
        const answers = await Promise.all(Array.from({ length: atOnce }, () => send(server.url)));
        for (const { status } of answers)
          expect(atOnce === 1 ? TAKEN : [...TAKEN, ...REFUSED]).toContain(status);
        const taken = answers.filter(({ status }) => TAKEN.includes(status));
        expect(taken.length).toBeGreaterThan(0);
        for (const { octets } of taken) expect(octets).toBeGreaterThan(leastOctets);
        shortestMs = Math.min(shortestMs, await server.longestStallMs());
      }
      expect(shortestMs).toBeLessThan(LONGEST_STALL_MS);
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
