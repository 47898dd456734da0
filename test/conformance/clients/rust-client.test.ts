import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP2_ENGINES } from "../../reference/http2-engines.ts";
import { run } from "../../support/clients/command.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const INVALID_ARGUMENT = 3;
const SHORT_ITEM = 50;
const TOO_FEW = 'features: 3 features came; "features" takes 4';

interface Scored {
  readonly version: string;
  readonly scores: readonly number[];
  readonly labels: readonly string[];
}
interface Item {
  readonly item: number;
  readonly response: Scored | null;
  readonly status: { readonly code: number; readonly message: string } | null;
}

const servers: ServerProcess[] = [];
const printed = new Map<string, string>();

beforeAll(async () => {
  for (const engine of HTTP2_ENGINES) {
    const server = await startServer(join(ROOT, "models"), [], engine);
    servers.push(server);
    const { status, stdout, stderr } = await run(tool("rust-client"), [`http://${server.address}`]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    printed.set(engine, stdout);
  }
});

afterAll(async () => {
  for (const server of servers) expect(await server.stop()).toBe(0);
});

describe.each(HTTP2_ENGINES)("tonic against the %s engine", (engine) => {
  const lines = () => printed.get(engine)!.trimEnd().split("\n");

  test("scores a row", () => {
    const { response } = JSON.parse(lines()[0]!) as { response: Scored };
    expect(response).toEqual({ version: "1", scores: [expect.any(Number)], labels: ["setosa"] });
  });

  test("is told what is wrong with a row, with its details in the trailers", () => {
    const refusal = JSON.parse(lines()[1]!) as { details: string };
    expect(refusal).toMatchObject({ code: INVALID_ARGUMENT, message: TOO_FEW });
    expect(refusal.details).toContain("signature.too_few");
  });

  test("gets 100 answers of a bidi stream in order, with a status for the bad one", () => {
    const items = lines()
      .slice(2)
      .map((line) => JSON.parse(line) as Item);
    expect(items.map(({ item }) => item)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    for (const { item, response, status } of items) {
      if (item === SHORT_ITEM)
        expect({ response, status }).toMatchObject({ response: null, status: { code: 3 } });
      else
        expect({ response, status }).toMatchObject({
          response: { scores: [expect.any(Number)] },
          status: null,
        });
    }
    expect(new Set(items.flatMap(({ response }) => response?.labels ?? [])).size).toBeGreaterThan(1);
  });
});

test("tonic prints the same answers on both engines", () => {
  expect(printed.get("assay")).toBe(printed.get("node"));
});
