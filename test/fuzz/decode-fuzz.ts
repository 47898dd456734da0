/**
 * Fuzzes every decoder of requests on a real server: `npm run fuzz -- --minutes 10 --seed 1`. Judged by the event loop, which no request
 * may hold for long, by the heap after a collection, and by answers: never INTERNAL, never long, never none.
 * `--corpus` runs each hand-made case once and prints what it cost.
 */
import { parseArgs } from "node:util";
import { BINARY_PAYLOADS, type DecodeCase, decodeCase, FORMS, JSON_PAYLOADS } from "./decode-case.ts";
import { mutatedCase } from "./decode-mutation.ts";
import { startDecodeTarget } from "./decode-run.ts";
import { FOREIGN_BODIES, foreignCase } from "./foreign-case.ts";
import { INFER_CASES } from "./infer-case.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
    corpus: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    "held-ms": { type: "string", default: "100" },
  },
});

/** A run is judged by this; a collection of the whole heap may fall into any case. */
const maxHeldMs = Number(values["held-ms"]);
const MOST_TRIES = 4;
const target = await startDecodeTarget();
const heldLong: string[] = [];
let cases = 0;
let longestMs = 0;

async function judge(one: DecodeCase): Promise<void> {
  cases++;
  let { status, text, report } = await target.run(one);
  // Again, so that a collection that another case left behind, or a core that others use too, is not counted here: both only add.
  for (let tries = 1; report.heldMs > maxHeldMs && tries < MOST_TRIES; tries++)
    ({ status, text, report } = await target.run(one));
  longestMs = Math.max(longestMs, report.heldMs);
  if (values.corpus) {
    const heap = Math.round(report.heapBytes / 1_048_576);
    console.log(
      `${report.heldMs.toFixed(0).padStart(5)} ms ${String(heap).padStart(5)} MiB  ${status.padEnd(8)} ${one.name}: ${text.slice(0, 110)}`,
    );
  }
  if (report.heldMs > maxHeldMs) heldLong.push(`${one.name}: ${report.heldMs.toFixed(0)} ms`);
}

const untilMs = performance.now() + Number(values.minutes) * 60_000;
const isOver = () => !values.corpus && performance.now() >= untilMs;
/** Made one by one: all of them together are gigabytes. */
type CorpusCase = readonly [name: string, make: () => DecodeCase | undefined];
const corpus: readonly CorpusCase[] = [
  ...[...BINARY_PAYLOADS, ...JSON_PAYLOADS].flatMap((payload) =>
    Object.keys(FORMS).map((form): CorpusCase => [payload.name, () => decodeCase(payload, form)]),
  ),
  ...FOREIGN_BODIES.flatMap((body) =>
    [false, true].map((isZipped): CorpusCase => [body.name, () => foreignCase(body, isZipped)]),
  ),
  ...INFER_CASES,
];
const first = Number(values.seed);
try {
  if (values.corpus) {
    for (const [name, make] of corpus) {
      if (!name.includes(values.only)) continue;
      const one = make();
      if (one !== undefined) await judge(one);
    }
  } else {
    for (let seed = first; !isOver(); seed++) {
      // One of the hand-made ones for each ten that are made of a number.
      if ((seed - first) % 10 === 0) {
        const [, make] = corpus[(Math.floor((seed - first) / 10) * 37) % corpus.length]!;
        const one = make();
        if (one !== undefined) await judge(one);
      }
      await judge(mutatedCase(seed));
    }
  }
} finally {
  await target.stop();
}
console.log(
  `${cases} cases from seed ${first}; the event loop was held for ${longestMs.toFixed(0)} ms at most`,
);
if (heldLong.length > 0) throw new Error(`the event loop was held:\n${heldLong.join("\n")}`);
