import { expect, test, vi } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { FeatureOrigin_From as From } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { OpenedFeatures, plansOf, SOURCE } from "../../support/features/opened-features.ts";

const PATIENT = { ...SOURCE, timeout_ms: 60_000 };
const REST = { score: 0.5, count: 3 };

test("a store that dies in the middle of look-ups refuses those it held, and the next trip answers by its own keys", async () => {
  const opened = new OpenedFeatures(plansOf(PATIENT));
  const lost = [1, 2, 3].map((id) => opened.complete([{ ...REST, id }]));
  const first = await opened.nextTrip();
  const later = opened.complete([{ ...REST, id: 2 }]);
  const second = await opened.nextTrip();
  const waiting = opened.complete([
    { ...REST, id: 4 },
    { ...REST, id: 1 },
  ]);
  first.fail();
  for (const one of lost)
    await expect(one).rejects.toMatchObject({ reason: Reason.FEATURES_UNAVAILABLE, message: /"people"/ });
  second.answer([["22", "Berne"]]);
  expect((await later).rows).toEqual([{ ...REST, age: 22, city: "Berne" }]);
  const third = await opened.nextTrip();
  expect(third.keys).toEqual([["4"], ["1"]]);
  third.answer([
    ["44", "Basle"],
    ["11", "Aarau"],
  ]);
  expect((await waiting).rows).toEqual([
    { ...REST, age: 44, city: "Basle" },
    { ...REST, age: 11, city: "Aarau" },
  ]);
});

test("callers who ask in one turn share a trip, and each key is asked for once", async () => {
  const opened = new OpenedFeatures(plansOf(PATIENT));
  const calls = [7, 8, 7].map((id) =>
    opened.complete([
      { ...REST, id },
      { ...REST, id: 9 },
    ]),
  );
  const trip = await opened.nextTrip();
  expect(trip.keys).toEqual([["7"], ["9"], ["8"]]);
  trip.answer([
    ["7", "a"],
    ["9", "c"],
    ["8", "b"],
  ]);
  const ages = (await Promise.all(calls)).map(({ rows }) => rows.map((row) => row.age));
  expect(ages).toEqual([
    [7, 9],
    [8, 9],
    [7, 9],
  ]);
  expect(opened.store.trips).toHaveLength(1);
});

test("what was fetched is used again, and a row that sends its columns is not looked up", async () => {
  const opened = new OpenedFeatures(plansOf(PATIENT));
  opened.store.rows = new Map([["1", ["31", "Berne"]]]);
  await opened.complete([{ ...REST, id: 1 }]);
  const { rows, report } = await opened.complete(
    [
      { ...REST, id: 1, age: null },
      { ...REST, age: 2, city: "Chur" },
    ],
    true,
  );
  expect(rows).toEqual([
    { ...REST, age: null, city: "Berne" },
    { ...REST, age: 2, city: "Chur" },
  ]);
  expect(report?.columns.map(({ column, from }) => [column, from])).toEqual([
    ["age", [From.REQUEST, From.REQUEST]],
    ["city", [From.CACHE, From.REQUEST]],
  ]);
  expect(opened.store.trips).toHaveLength(1);
  expect(opened.counts.rows).toMatchObject({ store: 1, cache: 1 });
});

test("rows without a key, unknown keys, columns without a value and values that do not fit are told each at its place", async () => {
  const opened = new OpenedFeatures(plansOf(PATIENT));
  opened.store.rows = new Map([
    ["1", ["old", "Berne"]],
    ["2", [undefined, "Berne"]],
  ]);
  await opened.complete([
    { ...REST },
    { ...REST, id: 1 },
    { ...REST, id: 2 },
    { ...REST, id: 3 },
    { ...REST, id: 1.5 },
    { ...REST, id: true },
  ]);
  expect(opened.faults.list.sort()).toEqual([
    'rows[0].fields["id"] features.missing_key',
    'rows[1].fields["age"] features.unfit',
    'rows[2].fields["age"] features.missing_column',
    'rows[3].fields["id"] features.unknown_key',
    'rows[4].fields["id"] features.key',
    'rows[5].fields["id"] features.key',
  ]);
});

test("DEFAULT and MISSING stand in for what is not there", async () => {
  const columns = [
    { name: "age", default_value: 40 },
    { name: "score", default_value: null },
  ];
  const opened = new OpenedFeatures(
    plansOf({
      ...PATIENT,
      columns,
      on_missing_key: "DEFAULT",
      on_missing_column: "MISSING",
      on_unavailable: "DEFAULT",
    }),
  );
  opened.store.rows = new Map([["1", [undefined, "0.5"]]]);
  const { rows } = await opened.complete([{ id: 1 }, { id: 2 }]);
  expect(rows).toEqual([
    { age: Number.NaN, score: 0.5 },
    { age: 40, score: Number.NaN },
  ]);
  opened.store.rows = undefined;
  const waiting = opened.complete([{ id: 3 }], true);
  (await opened.nextTrip()).fail();
  const { rows: defaulted, report } = await waiting;
  expect(defaulted).toEqual([{ age: 40, score: Number.NaN }]);
  expect(report?.columns[0]?.from).toEqual([From.DEFAULT]);
});

test("a slow store costs its time-out, and the call's deadline where that is nearer", async () => {
  const opened = new OpenedFeatures(plansOf({ ...SOURCE, timeout_ms: 20 }));
  await expect(opened.complete([{ id: 1 }])).rejects.toMatchObject({ reason: Reason.FEATURES_UNAVAILABLE });
  const patient = new OpenedFeatures(plansOf(PATIENT));
  await expect(patient.complete([{ id: 1 }], false, performance.now() + 20)).rejects.toMatchObject({
    reason: Reason.DEADLINE_EXCEEDED,
  });
  expect(patient.counts.timeouts).toBe(1);
});

test("an answer that comes after its caller has gone is kept for the next one", async () => {
  const opened = new OpenedFeatures(plansOf({ ...SOURCE, timeout_ms: 20 }));
  const gone = opened.complete([{ id: 1 }]);
  const trip = await opened.nextTrip();
  await expect(gone).rejects.toMatchObject({ reason: Reason.FEATURES_UNAVAILABLE });
  trip.answer([["31", "Berne"]]);
  await new Promise((resolve) => setImmediate(resolve));
  expect((await opened.complete([{ id: 1 }])).rows).toEqual([{ age: 31, city: "Berne" }]);
});

test("values whose own time is too long ago count as a key that is not there", async () => {
  const opened = new OpenedFeatures(plansOf({ ...PATIENT, time_column: "at", max_age_ms: 1000 }));
  const now = Date.now();
  opened.store.rows = new Map([
    ["1", ["31", "Berne", String(now - 60_000)]],
    ["2", ["32", "Basle", String(now)]],
    ["3", ["33", "Chur", undefined]],
  ]);
  await opened.complete([{ id: 1 }, { id: 2 }, { id: 3 }]);
  expect(opened.faults.list).toEqual([
    'rows[0].fields["id"] features.too_old',
    'rows[2].fields["id"] features.too_old',
  ]);
});

test("a clock that is put right later than the process began tells how old values are", async () => {
  const opened = new OpenedFeatures(plansOf({ ...PATIENT, time_column: "at", max_age_ms: 1000 }));
  const now = Date.now() + 3_600_000;
  const clock = vi.spyOn(Date, "now").mockReturnValue(now);
  opened.store.rows = new Map([
    ["1", ["31", "Berne", String(now - 60_000)]],
    ["2", ["32", "Basle", String(now)]],
  ]);
  await opened.complete([{ id: 1 }, { id: 2 }]).finally(() => clock.mockRestore());
  expect(opened.faults.list).toEqual(['rows[0].fields["id"] features.too_old']);
});

test("one key that the store refuses is no fault of the others in its trip", async () => {
  const opened = new OpenedFeatures(plansOf(PATIENT));
  const [wrong, right] = [opened.complete([{ id: 1 }]), opened.complete([{ id: 2 }])];
  (await opened.nextTrip()).answer([new Error("WRONGTYPE"), ["32", "Basle"]]);
  await expect(wrong).rejects.toMatchObject({ reason: Reason.FEATURES_UNAVAILABLE });
  expect((await right).rows).toEqual([{ age: 32, city: "Basle" }]);
});

test("the log says once that a store cannot be asked, without what it quotes, and once that it answers again", async () => {
  const lines: string[] = [];
  const say = (_: object, message: string) => void lines.push(message);
  const log = { debug: say, info: say, warn: say, error: say, isLevelEnabled: () => true };
  const opened = new OpenedFeatures(plansOf(PATIENT), log);
  for (let i = 0; i < 2; i++) {
    const call = opened.complete([{ id: i }]);
    (await opened.nextTrip()).fail();
    await expect(call).rejects.toThrow();
  }
  opened.store.rows = new Map();
  await opened.complete([{ id: 3 }]);
  expect(lines).toEqual([
    "the feature store cannot be asked: the connection was lost",
    "the feature store answers again",
  ]);
});
