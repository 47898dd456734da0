import { expect, test } from "vitest";
import { childrenOf, endlessModel, loopingModel } from "../support/models/hanging-models.ts";
import { type ModelServer, serveModels } from "../support/servers/model-server.ts";

function serve(models: Record<string, Uint8Array>, ...flags: string[]): Promise<ModelServer> {
  return serveModels(models, "--run-timeout-ms", "1500", ...flags);
}

const HANGS = [1e15, 0];
const affineAnswer = {
  status: 200,
  body: { model_name: "affine", outputs: [{ contents: { fp32_contents: [3, 5] } }] },
};

for (const isolation of ["thread", "auto"]) {
  test(`a model that does not answer at load is refused, others serve, and a drain ends with 0 (${isolation})`, async () => {
    const running = await serve({ endless: endlessModel() }, "--isolation", isolation);
    expect(await (await fetch(`${running.url}/readyz`)).json()).toMatchObject({
      status: "ready",
      not_serving: [
        {
          model_name: "endless",
          state: "FAILED",
          reason: expect.stringMatching(/did not answer its first run.*1500 ms/),
        },
      ],
    });
    expect(await running.predict("affine", [1, 2])).toMatchObject(affineAnswer);
    // What hung is killed; the system takes a moment to be rid of it.
    await expect.poll(() => childrenOf(running.processId)).toHaveLength(0);
    expect(await running.terminate()).toBe(0);
  });

  test(`a run that hangs costs its own model, which comes back, while another answers on (${isolation})`, async () => {
    const running = await serve({ looping: loopingModel() }, "--isolation", isolation);
    const hung = running.predict("looping", HANGS);
    let isOver = false;
    void hung.finally(() => {
      isOver = true;
    });
    let answered = 0;
    while (!isOver) {
      expect(await running.predict("affine", [1, 2])).toMatchObject(affineAnswer);
      answered++;
    }
    expect(answered).toBeGreaterThan(10);
    expect(await hung).toMatchObject({ body: { reason: "RUN_TIMEOUT" } });
    const statuses = new Set<number>();
    const statusesUntilNow = async () => statuses.add((await running.predict("looping", [1, 2])).status);
    // So long that only a broken server fails.
    await expect.poll(statusesUntilNow, { timeout: 30_000 }).toContain(200);
    expect([200, 503]).toEqual(expect.arrayContaining([...statuses]));
    // The next one is over sooner where a process is killed, and the drain waits for neither.
    void running.predict("looping", HANGS).catch(() => {});
    expect(await running.predict("affine", [1, 2])).toMatchObject(affineAnswer);
    expect(await running.terminate()).toBe(0);
  });
}

test("a drain ends with 0 within its time-out while a run hangs in a thread and its caller waits", async () => {
  const running = await serve(
    { looping: loopingModel() },
    ...["--isolation", "thread", "--run-timeout-ms", "600000", "--drain-timeout-ms", "1000"],
  );
  const cutOff = running.predict("looping", HANGS).catch((error: unknown) => error);
  // Answered behind the hanging one on the same event loop: it has been taken by now.
  await running.predict("affine", [1, 2]);
  const startedAt = performance.now();
  expect(await running.terminate()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  await cutOff;
});
