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

/** Of each kind of long work; of texts in JSON, which take a second each, fewer. */
const AT_ONCE = [
  { title: "gRPC: 4 M floats in one row", count: 16 },
  { title: "gRPC: 800,000 texts as raw octets", count: 16 },
  { title: "Connect JSON: 800,000 texts", count: 6 },
  { title: "/predict: 2 M floats", count: 16 },
  { title: "/predict: 700,000 texts as raw octets", count: 16 },
];

test.each(AT_ONCE)(
  "others are answered during $count at once of $title",
  { timeout: 300_000 },
  ({ title, count }) => server.judge(largeMessages().find((message) => message.title === title)!, count),
);
