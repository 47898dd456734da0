/**
 * What metrics and access lines cost a call at their defaults: a server of this checkout beside one of a checkout from before them, or,
 * where none is given, beside one of this checkout without access lines (metrics are always counted). Ends with 1 where a median of the
 * pairs' ratios is above the limit.
 * Arguments: --before DIR (a checkout with its node_modules), --pairs 15, --seconds 2, --limit 1.05, --only REGEX of a row's name, --quick
 * (2 pairs of 1 s).
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ServerPair } from "./server-pair.ts";

const { values } = parseArgs({
  options: {
    before: { type: "string" },
    pairs: { type: "string", default: "15" },
    seconds: { type: "string", default: "2" },
    limit: { type: "string", default: "1.05" },
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = values.quick
  ? { pairs: 2, seconds: "1", warmCalls: 20_000 }
  : { pairs: Number(values.pairs), seconds: values.seconds, warmCalls: 200_000 };
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
const servers = await ServerPair.start(base, { checkout });
for (const { name, flags } of ROWS) {
  const { firstUs, secondUs, ratio } = await servers.cost(flags, rounds);
  console.log(
    `${name}: ${than} ${firstUs.toFixed(2)} µs, at the defaults ${secondUs.toFixed(2)} µs: median of ${rounds.pairs} pairs ${ratio.toFixed(3)} (limit ${values.limit})`,
  );
  if (ratio > Number(values.limit)) process.exitCode = 1;
}
await servers.stop();
