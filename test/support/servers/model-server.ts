import { onTestFinished } from "vitest";
import { writeModels } from "../models/hanging-models.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** What came over plain HTTP. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** `assay serve` as a process of its own over models written for one test; both are gone when the test has ended. */
export interface ModelServer extends ServerProcess {
  /** Where a file of version 1 of a model lies. */
  path(modelName: string, fileName: string): string;
  /** Asks `/predict` for the score of one row. */
  predict(modelName: string, features: readonly number[]): Promise<JsonAnswer>;
}

/** Writes the models as `writeModels` does, and serves them. */
export async function serveModels(
  models: Parameters<typeof writeModels>[0],
  ...flags: string[]
): Promise<ModelServer> {
  const { folder, path } = writeModels(models);
  const server = await startServerProcess(folder, ...flags);
  onTestFinished(() => server.kill());
  const predict = (modelName: string, features: readonly number[]) =>
    postJson(`${server.url}/predict/${modelName}`, { features });
  return { ...server, path, predict };
}

/** Posts JSON, and reads the JSON that comes. */
export async function postJson(url: string, body: unknown): Promise<JsonAnswer> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}
