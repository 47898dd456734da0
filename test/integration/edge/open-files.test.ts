import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";

const EDGE = `
import { startEdge } from "${new URL("../../support/servers/fake-services.ts", import.meta.url).href}";
import pino from "${new URL("../../../node_modules/pino/pino.js", import.meta.url).href}";
const { port } = await startEdge({ log: pino(), limits: { maxConnections: 1000, maxConnectionsPerPeer: 1000 } });
console.log(JSON.stringify({ port }));
`;
const OPEN_FILES = 100;

async function answer(port: number): Promise<{ socket: Socket; text: string }> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  socket.write("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
  const text = await new Promise<string>((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    socket.once("close", () => resolve(""));
  });
  return { socket, text };
}

test.skipIf(process.platform !== "linux")(
  "a peer that takes all open files is refused by name and logged once, and the server goes on",
  async () => {
    const command = `ulimit -n ${OPEN_FILES}; exec "$0" --input-type=module`;
    const child = spawn("bash", ["-c", command, process.execPath], { stdio: ["pipe", "pipe", "inherit"] });
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    child.stdin.end(EDGE);
    try {
      await expect.poll(() => /"port":(\d+)/.exec(printed)?.[1], { timeout: 20_000 }).toBeDefined();
      const port = Number(/"port":(\d+)/.exec(printed)![1]);
      const all = [];
      for (let i = 0; i < 2 * OPEN_FILES; i++) all.push(await answer(port));
      const served = all.filter(({ text }) => text.startsWith("HTTP/1.1 200 ")).length;
      expect(served).toBeGreaterThan(10);
      expect(served).toBeLessThan(OPEN_FILES);
      expect(
        all.some(({ text }) => text.includes(`its limit of open files is ${OPEN_FILES}: ulimit -n`)),
      ).toBe(true);
      for (const { socket } of all) socket.destroy();
      await expect.poll(async () => (await answer(port)).text).toMatch(/^HTTP\/1\.1 200 /);
      expect(printed.match(/a connection was refused/g)).toHaveLength(1);
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(metrics).toMatch(/^assay_limit_hits_total\{limit="open-files"\} [1-9]/m);
    } finally {
      child.kill("SIGKILL");
      await once(child, "close");
    }
  },
);
