/** A server with keys shows the frame of the console to anybody, and what is in it to those who bring a key. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ConsoleService } from "../../../gen/assay/v1/console_service_pb.ts";
import { keyFile, keyLine, transportsWith } from "../../support/keys/keyed-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const keys = keyFile(
  keyLine("iris-key", { id: "flowers", models: ["iris"] }),
  keyLine("metrics-key", { id: "prometheus", metrics: true }),
);
const { url } = await fileServer("models", { keys: keys.path });
const html = { accept: "text/html" };

test("the frame and its files come without a key, and name no model", async () => {
  const page = await fetch(url, { headers: html });
  expect(page.status).toBe(200);
  expect(await page.text()).not.toContain("iris");
  expect((await fetch(`${url}/console/console.js`)).status).toBe(200);
});

test("programs are told to bring a key, and so are those that ask for a document", async () => {
  const answer = await fetch(url);
  expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([
    401,
    expect.stringContaining("authorization: Bearer"),
  ]);
  expect((await fetch(`${url}/openapi.json`, { headers: html })).status).toBe(401);
  const known = await fetch(url, { headers: { authorization: "Bearer iris-key" } });
  expect(await known.json()).toMatchObject({ models: [{ name: "iris" }] });
});

async function watch(key: string | undefined): Promise<string> {
  const client = createClient(ConsoleService, Object.values(transportsWith(url, key))[0]!);
  const end = new AbortController();
  try {
    for await (const { server } of client.watchFigures({}, { signal: end.signal })) return server!.serverName;
    return "ended";
  } catch (error) {
    return Code[ConnectError.from(error).code]!;
  } finally {
    end.abort();
  }
}

test("figures are for keys that read metrics", async () => {
  expect(await watch(undefined)).toBe("Unauthenticated");
  expect(await watch("wrong-key")).toBe("Unauthenticated");
  expect(await watch("iris-key")).toBe("PermissionDenied");
  expect(await watch("metrics-key")).toBe("assay");
});
