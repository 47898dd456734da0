import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { runCommand } from "../../../src/cli/command.ts";
import { type CensusPeople, censusPeople } from "../../support/features/census-people.ts";
import { fileFolder } from "../../support/folders.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { query } from "../../support/tables/tables.ts";
import { StoreProcess } from "./store-process.ts";

const ROWS = 1_000;
const TIMEOUT_MS = 250;
/** What a call may take beyond the store's time-out on a machine that does other things. */
const SLACK_MS = 2_000;
const POLL = { timeout: 20_000 };
const folder = fileFolder();

/** What came of a call. */
interface Outcome {
  readonly status: number;
  readonly reason: string;
  readonly ms: number;
  readonly isRight: boolean;
}

describe.each(["redis-server", "valkey-server"])("%s", (command) => {
  let store: StoreProcess;
  let people: CensusPeople;
  let server: AppServer;

  beforeAll(async () => {
    const data = mkdtempSync(join(folder, `${command}-`));
    store = await StoreProcess.start(command, data);
    const own = join(folder, command);
    mkdirSync(own);
    const source = { redis: { url: store.url }, timeout_ms: TIMEOUT_MS, cache_ms: 0 };
    people = await censusPeople(own, source, ROWS);
    expect(
      await runCommand(["features", "load", people.table, "--key", "person_id", "--to", store.url]),
    ).toBe(0);
    server = await startAppServer(people.models);
  });
  afterAll(async () => {
    await server?.app.close();
    await store?.kill();
  });

  async function call(ids: readonly number[]): Promise<Outcome> {
    const startedAt = performance.now();
    const response = await fetch(`${server.url}/predict/census`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ rows: ids.map((id) => people.brought.get(id)) }),
    });
    const answer = (await response.json()) as { scores?: number[]; reason?: string };
    const isRight = ids.every((id, at) => answer.scores?.[at] === people.scores.get(id));
    return {
      status: response.status,
      reason: answer.reason ?? "",
      ms: performance.now() - startedAt,
      isRight,
    };
  }

  async function iris(): Promise<number> {
    const startedAt = performance.now();
    const response = await fetch(`${server.url}/predict/iris`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"features":[5.1,3.5,1.4,0.2]}',
    });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    return performance.now() - startedAt;
  }

  /** Calls of some rows each, one after another by each of `callers`, until it is told to end. */
  function underLoad(callers: number): {
    readonly outcomes: Outcome[];
    readonly others: number[];
    end(): Promise<void>;
  } {
    const outcomes: Outcome[] = [];
    const others: number[] = [];
    let ending = false;
    const loop = async (caller: number) => {
      for (let at = caller; !ending; at += callers) {
        const ids = Array.from({ length: 1 + (at % 5) }, (_, i) => 1 + ((at * 7 + i * 131) % ROWS));
        outcomes.push(await call(ids));
      }
    };
    const other = async () => {
      for (; !ending; await delay(10)) others.push(await iris());
    };
    const loops = [other(), ...Array.from({ length: callers }, (_, caller) => loop(caller))];
    const end = async (): Promise<void> => {
      ending = true;
      await Promise.all(loops);
    };
    onTestFinished(end);
    return { outcomes, others, end };
  }

  const wrongOf = (outcomes: readonly Outcome[]) =>
    outcomes.filter(({ status, reason, isRight }) =>
      status === 200 ? !isRight : status !== 503 || reason !== "FEATURES_UNAVAILABLE",
    );

  test("a store that assay features load has filled gives the scores of assay score, bit for bit", async () => {
    const ids = Array.from({ length: ROWS }, (_, index) => index + 1);
    expect((await call(ids)).isRight).toBe(true);
  });

  test("times of a table are written as milliseconds since 1970, for a source's time_column", async () => {
    const table = join(folder, `${command}-times.parquet`);
    await query(
      `COPY (SELECT 1 AS id, TIMESTAMP '2026-11-29 05:00:00.5' AS at, DATE '2026-11-29' AS day, CAST(NULL AS TIMESTAMP) AS never) TO '${table}' (FORMAT parquet)`,
    );
    const load = ["features", "load", table, "--key", "id", "--name", "times", "--to", store.url];
    expect(await runCommand(load)).toBe(0);
    const client = store.client();
    onTestFinished(() => client.disconnect());
    const times = { at: "1795928400500", day: "1795910400000", never: "\u0000" };
    expect(await client.hgetall("times:1")).toEqual(times);
  });

  test("killed and started again under load: every row is right or refused, and other models do not notice", async () => {
    const load = underLoad(8);
    for (let round = 0; round < 4; round++) {
      await delay(300);
      await store.kill();
      await delay(150);
      await store.start();
    }
    await expect.poll(async () => (await call([1])).status, POLL).toBe(200);
    const before = load.outcomes.length;
    await expect.poll(() => load.outcomes.length, POLL).toBeGreaterThan(before + 20);
    await load.end();
    expect(wrongOf(load.outcomes)).toEqual([]);
    expect(load.outcomes.some(({ status }) => status === 503)).toBe(true);
    expect(load.outcomes.filter(({ isRight }) => isRight).length).toBeGreaterThan(50);
    expect(Math.max(...load.others)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  test("stopped in the middle: a call costs its time-out, other models go on, and the store is used again when it goes on", async () => {
    const load = underLoad(8);
    await expect.poll(() => load.outcomes.length, POLL).toBeGreaterThan(20);
    store.stop();
    try {
      await expect
        .poll(() => load.outcomes.filter(({ status }) => status === 503).length, POLL)
        .toBeGreaterThan(16);
      const others = load.others.length;
      await expect.poll(() => load.others.length, POLL).toBeGreaterThan(others + 10);
    } finally {
      store.goOn();
    }
    await expect.poll(async () => (await call([1])).status, POLL).toBe(200);
    await load.end();
    expect(wrongOf(load.outcomes)).toEqual([]);
    expect(Math.max(...load.outcomes.map(({ ms }) => ms))).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(Math.max(...load.others)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  test("a hash that is changed while calls come is read as a whole: before or after, never between", async () => {
    const client = store.client();
    const [one, other] = [people.whole.get(1)!, people.whole.get(2)!];
    const fields = ["age", "workclass", "education-num", "capital-gain", "marital-status"];
    const write = (row: Record<string, unknown>) =>
      client.hset("people:1", ...fields.flatMap((name) => [name, String(row[name])]));
    const score = async (row: Record<string, unknown>) => {
      const rest = people.brought.get(1)!;
      const looked = Object.fromEntries(fields.map((name) => [name, row[name]]));
      const response = await fetch(`${server.url}/predict/census`, {
        method: "POST",
        body: JSON.stringify({ rows: [{ ...rest, ...looked }] }),
        headers: { "content-type": "application/json" },
      });
      return ((await response.json()) as { scores: number[] }).scores[0];
    };
    const right = new Set([await score(one), await score(other)]);
    const seen = new Set<number | undefined>();
    let ending = false;
    const writes = (async () => {
      for (let i = 0; !ending; i++) await write(i % 2 === 0 ? other : one);
    })();
    for (let i = 0; i < 300; i++) {
      const response = await fetch(`${server.url}/predict/census`, {
        method: "POST",
        body: JSON.stringify({ rows: [people.brought.get(1)] }),
        headers: { "content-type": "application/json" },
      });
      seen.add(((await response.json()) as { scores: number[] }).scores[0]);
    }
    ending = true;
    await writes;
    client.disconnect();
    expect([...seen].filter((value) => value === undefined || !right.has(value))).toEqual([]);
  });
});
