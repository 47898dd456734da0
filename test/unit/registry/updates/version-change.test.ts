import { expect, test } from "vitest";
import { EVERY_VERSION } from "../../../../src/model/versions/version-choice.ts";
import { leavingVersions, namesInEffect } from "../../../../src/registry/updates/version-change.ts";

const leaving = (serving: string[], kept: string[], short: number, lying: string[]) =>
  leavingVersions({ serving, kept: new Set(kept), short, lying: new Set(lying) });

test("versions that are no longer asked for leave, and so do those whose folders have gone", () => {
  expect(leaving(["1", "2", "3"], ["3"], 0, ["1", "2", "3"])).toEqual(["1", "2"]);
  expect(leaving(["1", "2"], ["2"], 0, ["2"])).toEqual(["1"]);
});

test("as many as cannot be served are stood in for by the highest that lie there", () => {
  expect(leaving(["9", "10", "2"], [], 1, ["2", "9", "10", "11"])).toEqual(["2", "9"]);
  expect(leaving(["1", "2"], [], 2, ["3", "4"])).toEqual(["1", "2"]);
});

const choice = (labels: Record<string, string>, defaultVersion = "") => ({
  ...EVERY_VERSION,
  labels: new Map(Object.entries(labels)),
  defaultVersion,
});
const names = (labels: Record<string, string>, defaultVersion = "") => ({
  labels: new Map(Object.entries(labels)),
  defaultVersion,
});

test("labels and the default version mean what their owner says, where that serves", () => {
  const { names: now, staying } = namesInEffect(
    choice({ stable: "2" }, "stable"),
    new Set(["1", "2"]),
    names({ stable: "1" }, "1"),
  );
  expect(now).toEqual(names({ stable: "2" }, "2"));
  expect(staying).toEqual([]);
});

test("a name of a version that does not serve stays where it was; one that is new, or whose version has gone, does not", () => {
  const serving = new Set(["1"]);
  expect(namesInEffect(choice({ stable: "2" }, "stable"), serving, names({ stable: "1" }, "1"))).toEqual({
    names: names({ stable: "1" }, "1"),
    staying: [
      {
        version: "1",
        reason: 'the label "stable" stays with version 1: version 2, which it is to mean, is not served',
      },
    ],
  });
  expect(namesInEffect(choice({ stable: "2" }), serving, names({})).names).toEqual(names({ stable: "2" }));
  expect(namesInEffect(choice({ stable: "2" }), serving, names({ stable: "3" })).names).toEqual(
    names({ stable: "2" }),
  );
  expect(namesInEffect(choice({}, "2"), serving, undefined).names).toEqual(names({}, "2"));
});

test("a default version that does not serve yet leaves the highest in its place", () => {
  const { names: now, staying } = namesInEffect(choice({}, "3"), new Set(["1", "2"]), names({}));
  expect(now.defaultVersion).toBe("2");
  expect(staying).toMatchObject([{ version: "2", reason: expect.stringContaining("default_version stays") }]);
});
