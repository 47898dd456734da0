import { afterAll, beforeAll, test } from "vitest";
import { largeMessages } from "../../support/clients/large-messages.ts";
import { type EchoServer, startEchoServer } from "../../support/servers/echo-server.ts";

/** One of a protocol; test/long has all of them. */
const SOME = /^gRPC: 4 M floats in one|^Connect JSON: 2 M floats$|^\/predict: 3 M/;

let server: EchoServer;
beforeAll(async () => {
  server = await startEchoServer();
});
afterAll(() => server.close());

test.each(largeMessages().filter(({ title }) => SOME.test(title)))(
  "others are answered during $title",
  { timeout: 120_000 },
  (message) => server.judge(message),
);
