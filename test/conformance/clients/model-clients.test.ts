import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { PERSON } from "../../support/tables/example-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

interface Scored {
  readonly scores: readonly number[];
  readonly labels: readonly string[];
}

let server: ServerProcess;
let person: Scored;
let flowers: Scored;

beforeAll(async () => {
  server = await startServer("models", ["--default-model", "census"]);
  person = await predict("census", { rows: [PERSON, PERSON] });
  flowers = await predict("iris", {
    features: [
      [6.8, 2.8, 4.8, 1.4],
      [6.0, 3.4, 4.5, 1.6],
    ],
  });
});

afterAll(() => server.stop());

async function predict(model: string, body: unknown): Promise<Scored> {
  const response = await fetch(`http://${server.address}/predict/${model}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Scored;
}

/** What a Python client prints: a line of JSON. */
async function answersOf(
  command: string,
  script: string,
  args: readonly string[],
): Promise<Record<string, unknown>> {
  const file = join(ROOT, "test/conformance/python", script);
  const result = await run(tool(command), [file, ...args, JSON.stringify(PERSON)]);
  expect(result).toMatchObject({ status: 0 });
  return JSON.parse(result.stdout) as Record<string, unknown>;
}

test("KServe's client scores over v1, sees what is ready, and shows the server's own words", async () => {
  const answers = await answersOf("python-kserve", "kserve_client.py", [`http://${server.address}`]);
  expect(answers).toMatchObject({
    live: true,
    ready: true,
    lists: { predictions: flowers.scores },
    objects: { predictions: person.scores },
  });
  expect(answers.unknown).toContain('did you mean "iris"?');
  expect(answers.unknown).toContain("404");
  expect(answers.wrong).toContain("instances[0]: 1 value came; a list of 4");
  expect(answers.not_ready).toContain("404");
});

test("MLflow's scoring client scores DataFrames and arrays, and shows the server's own words", async () => {
  const [host = "", port = ""] = server.address.split(":");
  const answers = await answersOf("python-mlflow", "mlflow_client.py", [host, port]);
  expect(answers).toMatchObject({ frame: person.scores, array: person.scores, params: person.labels });
  expect(answers.version).toMatch(/^\d+\.\d+/);
  expect(answers.wrong).toContain('the model has no column \\"agee\\"; did you mean \\"age\\"?');
  expect(answers.missing).toContain("send null");
});
