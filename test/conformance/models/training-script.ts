import { join } from "node:path";
import { expect } from "vitest";
import { run } from "../../support/clients/command.ts";
import { type GoldenCase, goldenCases } from "../../support/models/golden-rows.ts";
import { ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

/** A script of examples/training, its arguments, and how far another processor, which adds up in another order, may be. */
export interface TrainingScript {
  readonly model: string;
  readonly arguments: readonly string[];
  readonly abs: number;
  readonly rel: number;
}

/** Runs a training script into a new repository, and fails unless it makes the golden rows of the committed model again. */
export async function expectTrainedAgain(script: TrainingScript, output: string): Promise<void> {
  const path = join(ROOT, `examples/training/${script.model}.py`);
  const repository = join(output, script.model);
  const finished = await run(tool("python-training"), [path, ...script.arguments, "--output", repository]);
  expect(finished.status, finished.stderr).toBe(0);
  const again = goldenCases(repository);
  const before = goldenCases(join(ROOT, "models")).filter((golden) => golden.model === script.model);
  expect(again.map((golden) => golden.inputs)).toEqual(before.map((golden) => golden.inputs));
  const numbers = outputNumbers(before);
  for (const [index, value] of outputNumbers(again).entries()) {
    const wanted = numbers[index]!;
    expect(Math.abs(value - wanted), `${value}, wanted ${wanted}`).toBeLessThanOrEqual(
      script.abs + script.rel * Math.abs(wanted),
    );
  }
}

/** Every floating-point value that the cases expect, in order. */
function outputNumbers(cases: readonly GoldenCase[]): number[] {
  const floats = cases.flatMap((golden) => golden.outputs.filter((output) => output.datatype === "FP32"));
  return floats.flatMap((output) => output.data.map(Number));
}
