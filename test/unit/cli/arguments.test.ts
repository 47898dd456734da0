import { expect, test } from "vitest";
import { type KnownFlags, parseArguments } from "../../../src/cli/arguments.ts";

const known: KnownFlags = {
  kinds: new Map([
    ["port", "value"],
    ["models", "value"],
    ["strict-readiness", "switch"],
  ]),
  shorts: new Map([["m", "models"]]),
};

test("flags come with a space, with an equals sign, and as switches", () => {
  const parsed = parseArguments(
    ["--port", "1", "--models=a=b", "--strict-readiness", "x", "--", "--y"],
    known,
  );
  expect([...parsed.flags]).toEqual([
    ["port", "1"],
    ["models", "a=b"],
    ["strict-readiness", "true"],
  ]);
  expect(parsed.positionals).toEqual(["x", "--y"]);
  expect(parsed.problems).toEqual([]);
});

test("of a flag that comes again the last counts, and every value is there for whoever minds", () => {
  const { flags, all, problems } = parseArguments(["--port", "1", "--port=2"], known);
  expect([flags.get("port"), all.get("port"), problems]).toEqual(["2", ["1", "2"], []]);
});

test("a switch is turned off by no-", () => {
  expect(parseArguments(["--no-strict-readiness"], known).flags.get("strict-readiness")).toBe("false");
});

test("a word after a switch that looks like its value is told as such", () => {
  const { problems, positionals } = parseArguments(["--strict-readiness", "true", "--port", "1"], known);
  expect(problems).toEqual(["true came after --strict-readiness, which is a switch and takes no value"]);
  expect(positionals).toEqual([]);
});

test("every problem is named, with the nearest flag", () => {
  const { problems } = parseArguments(["--prot", "1", "-p", "--models"], known);
  expect(problems).toEqual([
    "--prot is not known; did you mean --port?",
    "-p is not known; flags start with --, but for -m",
    "--models needs a value",
  ]);
});

test.each([["-m", "a"], ["-m=a"], ["-ma"]])(
  "a letter stands for its flag, however its value follows: %s",
  (...words) => {
    const { flags, positionals, problems } = parseArguments([...words, "-"], known);
    expect([flags.get("models"), positionals, problems]).toEqual(["a", ["-"], []]);
  },
);

test("behind --, and as the value of a flag, a letter is a word like any other", () => {
  expect(parseArguments(["--models", "-m", "--", "-m"], known)).toMatchObject({
    flags: new Map([["models", "-m"]]),
    positionals: ["-m"],
    problems: [],
  });
});
