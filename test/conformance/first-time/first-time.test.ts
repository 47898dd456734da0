/** The program first-time.ts as tests: README.md and docs/clients.md in empty folders, a test each. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { followLanguage } from "./follow-language.ts";
import { followReadme } from "./follow-readme.ts";
import { IRIS_ALONE, LANGUAGES } from "./languages.ts";

const LONG_MS = 600_000;
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(join(ROOT, "models"), IRIS_ALONE);
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

const say = (text: string) => console.log(text);

// Two at once: each in a folder of its own, and only README.md's at its port.
test.concurrent(
  "README.md leads from the package to a score of one's own scikit-learn model, and Ctrl-C ends it",
  () => followReadme(say),
  LONG_MS,
);

test.concurrent.each(Object.keys(LANGUAGES))(
  "docs/clients.md leads to a program in %s that scores as scikit-learn does",
  (name) => followLanguage(name, server.address, say),
  LONG_MS,
);
