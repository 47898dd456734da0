import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { CLIENT_PREFACE, SETTINGS } from "../../../src/http2/frame/frame.ts";
import { frame } from "../../support/clients/raw-http2-client.ts";
import { serveModels } from "../../support/servers/model-server.ts";

const WANTED = 10_000;
/** Of the open files that the system allows, for what a test and a server need besides. */
const RESERVE = 500;
/** What a connection may take of the server's memory; the engine alone takes 9 KiB (bench/README.md). */
const MOST_KIB = 32;
const AT_ONCE = 250;

const openFiles = Number(
  /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 1024,
);
const count = Math.min(WANTED, openFiles - RESERVE);

function residentKib(processId: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${processId}/status`, "utf8"))![1]);
}

async function gauge(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)![1]);
}

/** Every second one is HTTP/2's, the others have had a call and are kept alive. */
async function idle(port: number, index: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await once(socket, "connect");
  if (index % 2 === 0) socket.write(Buffer.concat([CLIENT_PREFACE, frame(SETTINGS, 0, 0)]));
  else socket.write("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
  await once(socket, "data");
  socket.removeAllListeners("data").pause();
  return socket;
}

test.skipIf(process.platform !== "linux")(
  `${count} idle connections take little memory each, calls are answered beside them, and nothing of them stays`,
  async () => {
    const limits = [
      "--max-connections",
      String(count + 100),
      "--max-connections-per-peer",
      String(count + 100),
    ];
    const server = await serveModels({}, ...limits);
    const sockets: Socket[] = [];
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (let i = 0; i < 200; i++) await server.predict("affine", [1, 2]);
    const before = residentKib(server.processId);
    while (sockets.length < count) {
      const next = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, (_, i) =>
        idle(server.port, sockets.length + i),
      );
      sockets.push(...(await Promise.all(next)));
    }
    expect(await gauge(server.url, "assay_connections_open")).toBeGreaterThanOrEqual(count);
    expect((residentKib(server.processId) - before) / count).toBeLessThan(MOST_KIB);
    for (let i = 0; i < 100; i++)
      expect(await server.predict("affine", [1, 2])).toMatchObject({ status: 200 });
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(() => gauge(server.url, "assay_connections_open"), { timeout: 20_000 })
      .toBeLessThan(10);
    expect(await server.terminate()).toBe(0);
  },
);
