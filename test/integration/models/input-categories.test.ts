import { expect, test } from "vitest";
import { startAppServer } from "../../support/servers/app-server.ts";

test("GetModel tells the categories of a column that a one-hot encoder reads, and none of a number", async () => {
  const { app } = await startAppServer("models");
  try {
    const census = app.models().find(({ modelName }) => modelName === "census")!;
    const of = (name: string) => census.inputs.find((input) => input.name === name)!.categories;
    expect(of("sex")).toEqual(["Female", "Male"]);
    expect(of("workclass")).toContain("State-gov");
    expect(of("age")).toEqual([]);
  } finally {
    await app.close();
  }
});
