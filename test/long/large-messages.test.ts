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

/** Of each kind of long work. */
const AT_ONCE =
  /^gRPC: (4 M floats in one|800,000 texts as raw)|^Connect JSON: 800,000 texts$|^\/predict: (2 M floats|700,000 texts as raw octets)$/;

test.each(largeMessages().filter(({ title }) => AT_ONCE.test(title)))(
  "others are answered during sixteen at once of $title",
  { timeout: 300_000 },
  (message) => server.judge(message, 16),
);
