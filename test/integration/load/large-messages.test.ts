import { afterAll, beforeAll, test } from "vitest";
import { largeMessages } from "../../support/clients/large-messages.ts";
import { type EchoServer, startEchoServer } from "../../support/servers/echo-server.ts";

/** One of a protocol; test/long has all of them, and sixteen at once. */
const SOME = /^gRPC: 4 M floats in one|^Connect JSON: 2 M floats$|^\/predict: 3 M|^gRPC: .* texts as raw/;

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

test("others are answered during several messages of texts at once", { timeout: 120_000 }, () =>
  server.judge(largeMessages().find(({ title }) => /^gRPC: .* texts as raw/.test(title))!, 4),
);
