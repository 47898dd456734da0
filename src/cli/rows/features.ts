import { basename } from "node:path";
import { AssayError } from "../../errors.ts";
import { loadTable } from "../../features/load/table-load.ts";
import { storeTls } from "../../features/store-tls.ts";
import { shownUrl, storeUrl } from "../../features/store-url.ts";
import { counted } from "../../wording/counted.ts";
import { type KnownFlags, parseArguments, wrongArguments } from "../arguments.ts";
import { runInterruptible, say } from "../interruptible.ts";

const COMMAND = "assay features load";

const FLAGS: KnownFlags = {
  kinds: new Map(
    ["key", "to", "name", "hash", "columns", "time", "expire", "tls-ca-file"].map(
      (name) => [name, "value"] as const,
    ),
  ),
  shorts: new Map(),
};

/**
 * `assay features load TABLE --key NAME --to URL`: writes the rows of a table to hashes of Redis or Valkey. Returns the exit code: 0; 1 where
 * it did not come to its end; 2 for wrong arguments; 130.
 */
export async function features(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb !== "load") throw wrongArguments([`${verb ?? "nothing"} came; load is expected`], "features");
  const { flags, all, positionals, problems: unread } = parseArguments(rest, FLAGS);
  const problems = [...unread];
  const [table = "", ...more] = positionals;
  if (table === "")
    problems.push("TABLE is missing: a Parquet, CSV, NDJSON or Arrow file, or sql: and a query");
  for (const word of more) problems.push(`${word} came, and one table is loaded at a time`);
  const keys = listOf(all.get("key"));
  if (keys.length === 0) problems.push("--key is missing: the column that rows are looked up by");
  const expire = flags.get("expire") ?? "0";
  if (!/^\d{1,10}$/.test(expire)) problems.push(`--expire ${expire} came; a number of seconds is expected`);
  const url = urlOf(flags.get("to"), environment, problems);
  const caFile = flags.get("tls-ca-file") ?? "";
  const tls = tlsOf(url, caFile, problems);
  const name = flags.get("name") ?? basename(table).replace(/\.[a-z0-9]+$/i, "");
  const hash = flags.get("hash") ?? `${name}:${keys.map((key) => `{${key}}`).join(":")}`;
  for (const key of keys)
    if (!hash.includes(`{${key}}`)) problems.push(`--hash ${hash}: {${key}} does not stand in it`);
  if (problems.length > 0) throw wrongArguments(problems, "features");
  return runInterruptible({
    name: COMMAND,
    interrupted: "interrupted; what is written stays",
    async run(signal) {
      const { rows, skipped, seconds } = await loadTable({
        table,
        keys,
        columns: listOf(all.get("columns")),
        url,
        tls,
        caFile,
        hash,
        timeField: flags.get("time") ?? "",
        expireSeconds: Number(expire),
        signal,
        onProgress() {},
      });
      const left = skipped === 0 ? "" : `; ${counted(skipped, "row")} without a key left out`;
      say(COMMAND, `${counted(rows, "row")} to ${hash} in ${shownUrl(url)}, ${seconds.toFixed(1)} s${left}`);
      return 0;
    },
  });
}

/** `--key a,b` and `--key a --key b`. */
function listOf(values: readonly string[] = []): string[] {
  return values.flatMap((value) => value.split(",")).filter((value) => value !== "");
}

function urlOf(
  to: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string {
  if (to === undefined) {
    problems.push("--to is missing: the store, redis://HOST:PORT/DATABASE");
    return "";
  }
  try {
    return storeUrl({ url: to, urlEnv: "" }, environment, "--to");
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    problems.push(error.message);
    return "";
  }
}

function tlsOf(url: string, caFile: string, problems: string[]): ReturnType<typeof storeTls> {
  if (url === "") return undefined;
  try {
    return storeTls(url, caFile, caFile === "" ? "--to" : "--tls-ca-file");
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}
