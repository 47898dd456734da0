import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, globSync, openSync, readFileSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { loadScoringClient, predict } from "../../support/clients/grpc-js-client.ts";
import { swellingModel } from "../../support/models/hanging-models.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { serveModels } from "../../support/servers/model-server.ts";
import { freePort } from "../../support/servers/server-process.ts";

const IRIS = { model_name: "iris", features: [5.1, 3.5, 1.4, 0.2] };

test.each(["thread", "process"])(
  "a run that asks for more memory than there is fails alone, and the next call works (%s)",
  async (isolation) => {
    const server = await serveModels({ swelling: swellingModel() }, "--isolation", isolation);
    // 4 PiB: no allocator gives that.
    expect(await server.predict("swelling", [1e15, 0])).toMatchObject({
      status: 500,
      body: { reason: "RUN_FAILED" },
    });
    expect(await server.predict("affine", [1, 2])).toMatchObject({ status: 200 });
    expect(await server.predict("swelling", [2, 0])).toMatchObject({ status: 200 });
    const ready = await fetch(`${server.url}/readyz`);
    expect(ready.status).toBe(200);
  },
);

test.each([1, -1])(
  "a clock that jumps by a year (times %d) ends no call early, and no connection",
  async (sign) => {
    const { app, address, url } = await startAppServer("models", { "idle-timeout-ms": "60000" });
    const client = loadScoringClient(address);
    onTestFinished(() => {
      client.close();
      return app.close();
    });
    const deadline = Number.POSITIVE_INFINITY;
    await predict(client, IRIS, { deadline });
    const clock = vi.spyOn(Date, "now");
    const jumped = Date.now() + sign * 31_536_000_000;
    clock.mockReturnValue(jumped);
    onTestFinished(() => clock.mockRestore());
    const callers = Array.from({ length: 50 }, () => predict(client, IRIS, { deadline }));
    for (const answer of await Promise.all(callers)) expect(answer).toMatchObject({ labels: ["setosa"] });
    const response = await fetch(`${url}/predict/iris`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ features: IRIS.features }),
    });
    expect(response.status).toBe(200);
  },
);

test("nothing between socket and session reads the wall clock but to tell the time", () => {
  const readers = globSync("src/{edge,http2,service,registry,batcher,pool,worker,timing}/**/*.ts").filter(
    (file) => /\bDate\.now\(|new Date\(/.test(readFileSync(file, "utf8")),
  );
  // The date field of answers; when a token expires; when a span began; when a pool that is down starts again, for a message.
  expect(readers.sort()).toEqual([
    "src/edge/http1/head-text.ts",
    "src/edge/identity/known-caller.ts",
    "src/edge/identity/token-check.ts",
    "src/edge/trace/traced-work.ts",
    "src/pool/create-pool.ts",
  ]);
});

test("with a log on a full disk and a compile cache that cannot be written a server serves, and drains with 0", async () => {
  const full = openSync("/dev/full", "w");
  const port = await freePort();
  const serve = ["bin/assay.cjs", "serve", "--models", "models", "--port", String(port), "--devices", "cpu"];
  const child = spawn(process.execPath, serve, {
    stdio: ["ignore", full, full],
    env: { ...process.env, NODE_COMPILE_CACHE: "/dev/full/cache" },
  });
  closeSync(full);
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const status = () =>
    fetch(`http://127.0.0.1:${port}/predict/iris`, {
      method: "POST",
      body: JSON.stringify({ features: IRIS.features }),
    }).then(
      (response) => response.status,
      () => 0,
    );
  await expect.poll(status, { timeout: 25_000 }).toBe(200);
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
