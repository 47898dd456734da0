import { cpSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../support/clients/command.ts";
import { ROOT } from "../server-process.ts";
import { tool, toolFolder } from "../tool.ts";
import type { Reader } from "./reader.ts";

/** Flags of `assay serve` for the model that the page's programs call, and no other. */
export const IRIS_ALONE = ["--model-control", "explicit", "--load-model", "iris"];

/** A server that nobody started: a client with several passes it. */
const AWAY = "http://127.0.0.1:1023";
const REFUSED = ["INVALID_REQUEST", 'features 1 feature came; "features" takes 4'];

/** A way through docs/clients.md. */
export interface Language {
  /** The section whose blocks are followed, after those of `Where the schema comes from`. */
  readonly heading: string;
  /** What its programs print; `#` stands for a score. */
  readonly prints: readonly string[];
  /** A page that it makes, which is opened in a browser at last. */
  readonly opens?: string;
  /**
   * Puts at hand what a registry would give, and tells what stands in a text in place of what the page has: nothing else of
   * the page is changed.
   */
  prepare(reader: Reader, url: string): Promise<Readonly<Record<string, string>>>;
}

/** The languages of the page. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  python: {
    heading: "Python",
    prints: [
      "['setosa', 'virginica'] [#, #]",
      "INVALID_REQUEST [(0, 'Infinity came; a finite number is expected')]",
      ...Array<string>(3).fill("['setosa'] {}"),
      "['setosa'] [#]",
    ],
    async prepare(reader, url) {
      const isSource = (path: string) => !/__pycache__|_cache$|\/dist$/.test(path);
      cpSync(join(ROOT, "python"), join(reader.folder, "python"), { recursive: true, filter: isSource });
      reader.putCommand("python", tool("python-assay"));
      // The wheel is the tree's; what it stands on, and what builds it, lies in the tool's own environment.
      const installed = join(reader.folder, "installed");
      const pip = { PIP_TARGET: installed, PIP_NO_DEPS: "1", PIP_NO_INDEX: "1", PYTHONPATH: installed };
      Object.assign(reader.env, pip, { PYTHONDONTWRITEBYTECODE: "1" });
      return { "build --wheel": "build --no-isolation --wheel", "http://127.0.0.1:8080": `${AWAY} ${url}` };
    },
  },
  typescript: {
    heading: "TypeScript: Node and browsers",
    prints: [
      "[ 'setosa' ] [ # ]",
      "INVALID_REQUEST features",
      "0 [ 'setosa' ]",
      "1 INVALID_REQUEST",
      "setosa #",
    ],
    opens: "index.html",
    async prepare(reader, url) {
      const packed = await run(process.execPath, ["scripts/pack-client.ts", reader.folder], { cwd: ROOT });
      if (packed.status !== 0) throw new Error(packed.stderr);
      reader.putCommand("chromium", tool("chromium"));
      return { "http://127.0.0.1:8080": url };
    },
  },
  go: {
    heading: "Go",
    prints: ["[setosa] [#]", ...REFUSED],
    async prepare(reader) {
      const bin = join(reader.folder, "go-bin");
      Object.assign(reader.env, { GOBIN: bin, CGO_ENABLED: "0", PATH: `${bin}:${reader.env.PATH}` });
      return {};
    },
  },
  java: {
    heading: "Java",
    prints: ["[setosa] [#]", "INVALID_ARGUMENT", ...REFUSED],
    prepare: async () => ({}),
  },
  rust: {
    heading: "Rust",
    prints: ['["setosa"] [#]', ...REFUSED],
    async prepare(reader, url) {
      // The versions that were tried, and what they stand on, built once for all runs.
      cpSync(join(ROOT, "test/conformance/rust-recipe/Cargo.lock"), join(reader.folder, "Cargo.lock"));
      reader.env.CARGO_TARGET_DIR = toolFolder("rust-recipe");
      return { "http://127.0.0.1:8080": `${AWAY} ${url}` };
    },
  },
};
