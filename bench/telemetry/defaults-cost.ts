/**
 * What metrics and access lines cost a call at their defaults: a server of this checkout beside one of a checkout from before them, or,
 * where none is given, beside one of this checkout without access lines (metrics are always counted). Ends with 1 where a median of the
 * pairs' ratios is above the limit.
 * Arguments: --before DIR (a checkout with its node_modules), --starts 5, --pairs 3, --seconds 2, --limit 1.05, --only REGEX of a row's name, --quick
 * (one start, 2 pairs of 1 s).
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { costOfSecond, shown } from "./server-pair.ts";

const { values } = parseArgs({
  options: {
    before: { type: "string" },
    starts: { type: "string", default: "5" },
    pairs: { type: "string", default: "3" },
    seconds: { type: "string", default: "2" },
    limit: { type: "string", default: "1.05" },
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = values.quick
  ? { starts: 1, pairs: 2, seconds: "1", warmCalls: 20_000 }
  : {
      starts: Number(values.starts),
      pairs: Number(values.pairs),
      seconds: values.seconds,
      warmCalls: 100_000,
    };
const ROWS = [
  {
    name: "gRPC, 8 connections × 16 calls",
    flags: { protocol: "grpc", connections: "8", concurrency: "128" },
  },
  { name: "/predict, 64 connections", flags: { protocol: "predict", connections: "64", concurrency: "64" } },
].filter(({ name }) => new RegExp(values.only).test(name));

const checkout = fileURLToPath(new URL("../../", import.meta.url));
const base =
  values.before === undefined
    ? { checkout, flags: ["--access-log", "off"] }
    : { checkout: resolve(values.before) };
const than = values.before === undefined ? "without access lines" : `in ${values.before}`;
for (const { name, flags } of ROWS) {
  const { firstUs, secondUs, ratio, ratios } = await costOfSecond(base, { checkout }, flags, rounds);
  console.log(
    `${name}: ${than} ${firstUs.toFixed(2)} µs, at the defaults ${secondUs.toFixed(2)} µs: median of ${rounds.starts} starts of ${rounds.pairs} pairs ${ratio.toFixed(3)} (limit ${values.limit}; starts ${shown(ratios)})`,
  );
  if (ratio > Number(values.limit)) process.exitCode = 1;
}
