/**
 * Makes the page at `/`, of `console/`: one script and one style sheet. In the sources the server runs this file, for the page is made when
 * it is first asked for, and reads both from what it prints; `scripts/build.ts` puts them into the package.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** The page's files, and the modules that its script is made of. */
export interface ConsoleBundle {
  readonly files: Readonly<Record<"console.js" | "console.css", string>>;
  readonly modules: readonly string[];
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Bundles the page. */
export async function bundleConsole(): Promise<ConsoleBundle> {
  const build = await rolldown({
    input: `${ROOT}console/page.ts`,
    cwd: ROOT,
    platform: "browser",
    tsconfig: false,
    treeshake: { moduleSideEffects: false },
  });
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
  await build.close();
  const script = output[0];
  const styles = ["node_modules/uplot/dist/uPlot.min.css", "console/page.css"];
  const style = styles.map((file) => readFileSync(`${ROOT}${file}`, "utf8")).join("\n");
  return {
    files: { "console.js": script.code, "console.css": style },
    modules: script.moduleIds,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { files } = await bundleConsole();
  process.stdout.write(JSON.stringify(files));
}
