import { strictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../server-process.ts";
import { LANGUAGES } from "./languages.ts";
import { blocksUnder, createReader, type Reader } from "./reader.ts";

const PAGE_ADDRESS = "127.0.0.1:8080";
const SCORE = /\d\.\d{3,}(?:[eE]-?\d+)?/g;

/**
 * Follows a language's way through docs/clients.md in an empty folder, against the server of the example models at `address`: saves each
 * file under the name that stands behind its fence, and runs each `sh` block, in their order. Throws where one fails, or what its
 * programs print is not what scikit-learn predicted.
 */
export async function followLanguage(
  name: string,
  address: string,
  say: (text: string) => void,
): Promise<void> {
  const language = LANGUAGES[name];
  if (language === undefined)
    throw new Error(`there is no language ${name}; there are ${Object.keys(LANGUAGES).join(", ")}`);
  const page = readFileSync(join(ROOT, "docs/clients.md"), "utf8");
  const reader = createReader(name, say);
  try {
    const replaced = Object.entries(await language.prepare(reader, `http://${address}`));
    const printed: string[] = [];
    for (const { info, text, line } of [
      ...blocksUnder(page, "Where the schema comes from"),
      ...blocksUnder(page, language.heading),
    ]) {
      const [kind, path] = info;
      if (kind !== "sh" && path === undefined)
        throw new Error(`docs/clients.md:${line}: a block of ${kind} has no file's name`);
      const isCalling = text.includes(PAGE_ADDRESS);
      const meant = replaced
        .reduce((all, [from, to]) => all.replaceAll(from, to), text)
        .replaceAll(PAGE_ADDRESS, address);
      if (kind === "sh") {
        const came = await reader.type(meant);
        if (isCalling) printed.push(came);
      } else reader.save(path!, meant);
    }
    if (language.opens !== undefined) printed.push(await shownBy(reader, language.opens));
    expectPrinted(printed.join(""), language.prints);
  } finally {
    reader.leave();
  }
}

/** What a page of the folder shows in a browser, once it has what it asked the server for. */
async function shownBy(reader: Reader, page: string): Promise<string> {
  const flags =
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --virtual-time-budget=20000";
  const shown = await reader.type(
    `chromium ${flags} --user-data-dir=profile --dump-dom "file://$PWD/${page}" 2>chromium.log`,
  );
  return /<body>([^<]*)/.exec(shown)?.[1] ?? shown;
}

/** Compares lines in which `#` stands for a score: each has to be that of one of the rows whose probabilities scikit-learn wrote down. */
function expectPrinted(printed: string, lines: readonly string[]): void {
  const scores = printed.match(SCORE)?.map(Number) ?? [];
  strictEqual(printed.replaceAll("\u001b[0m", "").replaceAll(SCORE, "#").trimEnd(), lines.join("\n"));
  const truths = predictedScores();
  for (const score of scores) {
    const nearest = Math.min(...truths.map((truth) => Math.abs(truth - score)));
    if (nearest > 1e-5) throw new Error(`${score} came, and scikit-learn predicted ${truths.join(", ")}`);
  }
}

/** What scikit-learn predicted for the golden rows of `iris`: the probability of each row's class, the score of a model with several. */
function predictedScores(): number[] {
  const cases = JSON.parse(readFileSync(join(ROOT, "models/iris/1/golden.json"), "utf8")) as GoldenCase[];
  return cases.flatMap(({ outputs }) => {
    const { data, shape } = outputs.find((output) => output.name === "probabilities")!;
    const [rows, classes] = shape;
    return Array.from({ length: rows }, (_, row) =>
      Math.max(...data.slice(row * classes, (row + 1) * classes)),
    );
  });
}

interface GoldenCase {
  readonly outputs: readonly {
    readonly name: string;
    readonly shape: readonly [number, number];
    readonly data: readonly number[];
  }[];
}
