import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, expect, test } from "vitest";
import { ScoringService } from "../../gen/assay/v1/scoring_service_pb.ts";

let child: ChildProcess | undefined;
afterEach(async () => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "close");
  child.kill("SIGKILL");
  await ended;
});

/** Starts `assay serve` on a free port as a process of its own and returns its URL once it serves. */
async function serve(
  ...flags: string[]
): Promise<{ server: ChildProcess; url: string; ended: Promise<unknown[]> }> {
  const args = ["bin/assay.cjs", "serve", "--models", "models", "--port", "0", "--devices", "cpu", ...flags];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  child = server;
  const ended = once(server, "close");
  let printed = "";
  server.stdout.setEncoding("utf8");
  for await (const text of server.stdout) {
    printed += text;
    const url = /on (http:\/\/\S+)/.exec(printed)?.[1];
    if (url !== undefined) return { server, url, ended };
  }
  throw new Error(`it ended before it served: ${printed}`);
}

test("SIGTERM answers what a stream has sent, ends it UNAVAILABLE, and exits with 0", async () => {
  const { server, url, ended } = await serve();
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: url }));
  const answered: bigint[] = [];
  let sendMore = () => {};
  const signalled = new Promise<void>((resolve) => {
    sendMore = resolve;
  });
  async function* items() {
    for (let item = 0n; item < 20n; item++) {
      yield { itemId: item, request: { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] } };
    }
    await signalled;
  }
  const failure = await (async () => {
    for await (const answer of client.predictStream(items())) {
      answered.push(answer.itemId);
      if (answered.length === 20) server.kill("SIGTERM");
    }
  })().catch((error: unknown) => error);
  sendMore();
  expect(String(failure)).toMatch(/unavailable.*shutting down/);
  expect(answered).toHaveLength(20);
  expect(await ended).toEqual([0, null]);
});

test("Ctrl-C ends an idle server with 0", async () => {
  const { server, ended } = await serve();
  server.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
});

test("Ctrl-C twice ends at once, whatever the grace", async () => {
  const { server, url, ended } = await serve("--drain-grace-ms", "600000");
  server.kill("SIGINT");
  let ready = 200;
  while (ready === 200) ready = (await fetch(`${url}/readyz`)).status;
  expect(ready).toBe(503);
  server.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
});
