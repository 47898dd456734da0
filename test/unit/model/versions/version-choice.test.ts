import { expect, test } from "vitest";
import { readTritonConfig } from "../../../../src/model/triton/triton-config.ts";
import { readVersionChoice } from "../../../../src/model/versions/version-choice.ts";
import { chooseVersions, leftNotice } from "../../../../src/model/versions/version-policy.ts";

const choice = (config: unknown, triton?: string) =>
  readVersionChoice(JSON.stringify(config), triton === undefined ? undefined : readTritonConfig(triton));

function chosen(config: unknown, found: string[], triton?: string): string {
  const { served, reserve, missing, policy } = chooseVersions(choice(config, triton), found);
  return `${policy}: ${served} / ${reserve} / ${missing.map(({ version }) => version)}`;
}

test("all versions are served where nothing is said, else those that config.json says, else those of config.pbtxt", () => {
  const found = ["9", "10", "2"];
  expect(chosen({}, found)).toBe("all: 2,9,10 /  / ");
  expect(chosen({ version_policy: { latest: {} } }, found)).toBe("latest 1: 10 / 9,2 / ");
  expect(chosen({ version_policy: { latest: { num_versions: 2 } } }, found)).toBe("latest 2: 9,10 / 2 / ");
  expect(chosen({ version_policy: { specific: { versions: [2, 3] } } }, found)).toBe(
    "specific 2, 3: 2 /  / 3",
  );
  expect(chosen({}, found, "version_policy { latest { num_versions: 2 } }")).toBe("latest 2: 9,10 / 2 / ");
  expect(chosen({ version_policy: { all: {} } }, found, "version_policy { latest { } }")).toBe(
    "all: 2,9,10 /  / ",
  );
});

test("versions that labels and default_version name are served whatever the policy says", () => {
  const policy = { version_policy: { latest: {} } };
  expect(chosen({ ...policy, version_labels: { stable: 1 } }, ["1", "2", "3"])).toBe("latest 1: 1,3 / 2 / ");
  expect(chosen({ ...policy, default_version: "2" }, ["1", "2", "3"])).toBe("latest 1: 2,3 / 1 / ");
  const gone = chooseVersions(choice({ version_labels: { stable: 7 } }), ["1"]);
  expect(gone.missing).toEqual([
    {
      version: "7",
      reason:
        'the label "stable" in config.json names it, and there is no such folder: put it there, or take the number out',
    },
  ]);
});

test("versions that are left are told with the file that says so", () => {
  const latest = choice({ version_policy: { latest: {} } });
  expect(leftNotice(chooseVersions(latest, ["1", "2"]), latest)).toBe(
    "version 1 is not served: version_policy in config.json is latest 1",
  );
});

test.each([
  [{ version_labels: { "2nd": 2 } }, "version_labels"],
  [{ version_labels: { stable: "two" } }, "version_labels"],
  [
    { default_version: "stabel", version_labels: { stable: 1 } },
    'no label is called "stabel"; there is stable',
  ],
  [{ default_version: "stable" }, "version_labels has none"],
  [{ version_policy: { specific: {} } }, "version_policy.specific.versions"],
  [{ version_policy: { newest: {} } }, "version_policy.newest: no such field"],
  [{ default_version: "not a version" }, "default_version"],
])("%j is refused where it is wrong", (config, message) => {
  expect(() => choice(config)).toThrow(message);
});
