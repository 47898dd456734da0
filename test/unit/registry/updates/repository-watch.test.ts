import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import { type Marks, RepositoryWatch } from "../../../../src/registry/updates/repository-watch.ts";
import type { Log } from "../../../../src/telemetry/log.ts";
import { silentLog } from "../../../support/servers/silent-log.ts";

/** A watch over marks that the test sets; each look is the test's. */
async function watched(
  first: Record<string, string>,
  more: { log?: Log; onChange?: () => Promise<void> } = {},
) {
  let lies: Record<string, string> | Error = first;
  const told: string[] = [];
  const watch = new RepositoryWatch({
    look: async (): Promise<Marks> => {
      if (lies instanceof Error) throw lies;
      return new Map(Object.entries(lies));
    },
    async onChange(name) {
      told.push(name);
      await more.onChange?.();
    },
    intervalMs: 1_000_000,
    log: more.log ?? silentLog,
  });
  await watch.begin();
  return async (now: Record<string, string> | Error = lies): Promise<string[]> => {
    lies = now;
    await watch.look();
    return told.splice(0);
  };
}

test("what is new, changed or gone is told once two looks found the same", async () => {
  const look = await watched({ a: "1", b: "1" });
  expect(await look()).toEqual([]);
  expect(await look({ a: "2", c: "1" })).toEqual([]);
  expect(await look()).toEqual(["a", "b", "c"]);
  expect(await look()).toEqual([]);
});

test("files that are being written are waited for", async () => {
  const look = await watched({ a: "1" });
  for (const marks of ["2", "3", "4"]) expect(await look({ a: marks })).toEqual([]);
  expect(await look()).toEqual(["a"]);
});

test("a folder that is away for one look has not gone", async () => {
  const look = await watched({ a: "1" });
  expect(await look({})).toEqual([]);
  expect(await look({ a: "1" })).toEqual([]);
  expect(await look()).toEqual([]);
});

test("a repository that cannot be looked at for a while has lost nothing, and is told once", async () => {
  const lines: string[] = [];
  const note = (_: unknown, text: string) => void lines.push(text);
  const log = { ...silentLog, error: note, info: note } as unknown as Log;
  const look = await watched({ a: "1" }, { log });
  for (let count = 0; count < 3; count++) expect(await look(new Error("stale file handle"))).toEqual([]);
  expect(await look({ a: "1" })).toEqual([]);
  expect(lines).toEqual([
    "the models cannot be looked at; what serves is served on: stale file handle",
    "the models can be looked at again",
  ]);
});

test.each([
  [Reason.QUEUE_FULL, ["a"]],
  [Reason.CONFIG_INVALID, []],
])(
  "an update that was refused with %i is tried again with the next look only where there was no room",
  async (reason, again) => {
    const onChange = async () => {
      throw new AssayError(reason, "not now");
    };
    const look = await watched({ a: "1" }, { onChange });
    await look({ a: "2" });
    expect(await look()).toEqual(["a"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await look()).toEqual(again);
  },
);
