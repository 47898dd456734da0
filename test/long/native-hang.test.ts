import { afterEach, expect, test } from "vitest";
import {
  childrenOf,
  endlessModel,
  loopingModel,
  type WrittenRepository,
  writeModels,
} from "../support/models/hanging-models.ts";
import { type ServerProcess, startServerProcess } from "../support/servers/server-process.ts";

let repository: WrittenRepository | undefined;
let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.kill();
  repository?.remove();
  server = repository = undefined;
});

async function serve(
  models: Readonly<Record<string, Uint8Array>>,
  ...flags: string[]
): Promise<ServerProcess> {
  repository = writeModels(models);
  server = await startServerProcess(repository.folder, "--run-timeout-ms", "1500", ...flags);
  return server;
}

async function predict(
  model: string,
  features: readonly number[],
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server!.url}/predict/${model}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ features }),
  });
  return { status: response.status, body: await response.json() };
}

async function readyz(): Promise<{ status: string; not_serving: { model_name: string; reason: string }[] }> {
  return (await fetch(`${server!.url}/readyz`)).json() as never;
}

const HANGS = [1e15, 0];
const affineAnswer = {
  status: 200,
  body: { model_name: "affine", outputs: [{ contents: { fp32_contents: [3, 5] } }] },
};

/** Asks until the model answers again, at most for so long that only a broken server fails. */
async function backAgain(model: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const { status } = await predict(model, [1, 2]);
    if (status === 200) return;
    expect(status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the model did not come back");
}

for (const isolation of ["thread", "auto"]) {
  test(`a model that does not answer at load is refused, others serve, and a drain ends with 0 (${isolation})`, async () => {
    const running = await serve({ endless: endlessModel() }, "--isolation", isolation);
    const { status, not_serving } = await readyz();
    expect(status).toBe("ready");
    expect(not_serving).toMatchObject([
      {
        model_name: "endless",
        state: "FAILED",
        reason: expect.stringMatching(/did not answer its first run.*1500 ms/),
      },
    ]);
    expect(await predict("affine", [1, 2])).toMatchObject(affineAnswer);
    expect(childrenOf(running.processId)).toHaveLength(0);
    expect(await running.terminate()).toBe(0);
  });

  test(`a run that hangs costs its own model, which comes back, while another answers on (${isolation})`, async () => {
    const running = await serve({ looping: loopingModel() }, "--isolation", isolation);
    const hung = predict("looping", HANGS);
    let isOver = false;
    void hung.finally(() => {
      isOver = true;
    });
    let answered = 0;
    while (!isOver) {
      expect(await predict("affine", [1, 2])).toMatchObject(affineAnswer);
      answered++;
    }
    expect(answered).toBeGreaterThan(10);
    expect(await hung).toMatchObject({ body: { reason: "RUN_TIMEOUT" } });
    await backAgain("looping");
    // The next one is over sooner where a process is killed, and the drain waits for neither.
    void predict("looping", HANGS).catch(() => {});
    expect(await predict("affine", [1, 2])).toMatchObject(affineAnswer);
    expect(await running.terminate()).toBe(0);
  });
}

test("a drain ends with 0 within its time-out while a run hangs in a thread and its caller waits", async () => {
  const running = await serve(
    { looping: loopingModel() },
    ...["--isolation", "thread", "--run-timeout-ms", "600000", "--drain-timeout-ms", "1000"],
  );
  const cutOff = predict("looping", HANGS).catch((error: unknown) => error);
  // Answered behind the hanging one on the same event loop: it has been taken by now.
  await predict("affine", [1, 2]);
  const startedAt = performance.now();
  expect(await running.terminate()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  await cutOff;
});
