import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

test("a process in which a run hangs in native code answers what it can and then ends hard", async () => {
  const server = spawn(process.execPath, ["test/support/hanging-server.ts"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(server, "exit");
  try {
    const [port] = (await once(server.stdout, "data")) as [Buffer];
    const predict = () =>
      fetch(`http://127.0.0.1:${String(port).trim()}/assay.v1.ScoringService/Predict`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] }),
      });
    const hung = await predict();
    expect(await hung.json()).toMatchObject({ message: expect.stringContaining("run time-out of 500 ms") });
    const next = await predict();
    expect(await next.json()).toMatchObject({ modelName: "iris" });
    expect(await exited).toEqual([null, "SIGKILL"]);
  } finally {
    server.kill("SIGKILL");
  }
});
