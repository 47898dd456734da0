import { afterAll, beforeAll, test } from "vitest";
import { largeMessages } from "../support/clients/large-messages.ts";
import { type EchoServer, startEchoServer } from "../support/servers/echo-server.ts";

let server: EchoServer;
beforeAll(async () => {
  server = await startEchoServer();
});
afterAll(() => server.close());

test.each(largeMessages())("others are answered during $title", { timeout: 120_000 }, (message) =>
  server.judge(message),
);
