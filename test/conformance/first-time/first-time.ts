/**
 * A first-time user: follows README.md and docs/clients.md in empty folders, as they are written, and prints each step and what came.
 *
 *   node test/conformance/first-time/first-time.ts [readme | python | typescript | go | java | rust]…
 *
 * Replaced is only the server's address, and where a package comes from: packed from this checkout in place of a registry's. Ends with
 * status 1 at the first step that fails, or whose score is not the training library's.
 */
import { join } from "node:path";
import { ROOT, startServer } from "../server-process.ts";
import { followLanguage } from "./follow-language.ts";
import { followReadme } from "./follow-readme.ts";
import { IRIS_ALONE, LANGUAGES } from "./languages.ts";

const README = "readme";
const say = (text: string) => process.stdout.write(`${text}\n`);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : [README, ...Object.keys(LANGUAGES)];
const languages = wanted.filter((name) => name !== README);

if (wanted.includes(README)) {
  say("== README.md");
  await followReadme(say);
}
if (languages.length > 0) {
  const server = await startServer(join(ROOT, "models"), IRIS_ALONE);
  try {
    for (const name of languages) {
      say(`== ${name}, against ${server.address}`);
      await followLanguage(name, server.address, say);
    }
  } finally {
    await server.stop();
  }
}
say("All of it did as the pages say.");
