/** What there is to know of a version, in words. */
import {
  BatchingMode,
  type Model,
  ModelState,
  type ModelSummary,
  type TensorSpec,
} from "../gen/assay/v1/model_service_pb.ts";
import { h } from "./dom.ts";

const STATES: Readonly<Record<ModelState, string>> = {
  [ModelState.MODEL_STATE_UNSPECIFIED]: "unknown",
  [ModelState.LOADING]: "loading",
  [ModelState.READY]: "ready",
  [ModelState.FAILED]: "failed",
  [ModelState.UNAVAILABLE]: "unavailable",
  [ModelState.UNLOADED]: "unloaded",
};

const BATCHING: Readonly<Record<BatchingMode, string>> = {
  [BatchingMode.BATCHING_MODE_UNSPECIFIED]: "",
  [BatchingMode.ACROSS_REQUESTS]: "across requests",
  [BatchingMode.WITHIN_REQUEST]: "within a request",
  [BatchingMode.SINGLE_ROWS]: "none: each row is run alone",
  [BatchingMode.NO_BATCH_DIMENSION]: "none: a request is one run",
};

/** A version's state, by colour, sign and word. */
export function stateBadge(state: ModelState): HTMLElement {
  const word = STATES[state] ?? "unknown";
  return h("span", { class: `badge state-${word}` }, word);
}

/** Why a version does not serve, and what to do; what lies on disk and is not served. Undefined where all is well. */
export function troubleView({
  stateReason,
  updateFailure,
  changedFiles,
}: ModelSummary | Model): HTMLElement | undefined {
  const texts = [
    stateReason,
    updateFailure === "" ? "" : `The files on disk are newer and are not served: ${updateFailure}`,
    changedFiles.length === 0 || updateFailure !== ""
      ? ""
      : `Changed on disk since they were loaded: ${changedFiles.join(", ")}`,
  ].filter((text) => text !== "");
  return texts.length === 0
    ? undefined
    : h("div", { class: "trouble" }, ...texts.map((text) => h("p", {}, text)));
}

/** The facts that one looks for first. */
export function factList(model: Model): HTMLElement {
  const { devices, batching, config, goldenCases, treeKernel, producer, versionLabels } = model;
  const loaded = model.state === ModelState.READY || model.state === ModelState.UNAVAILABLE;
  const facts: (readonly [string, string])[] = [
    ["devices", devices.join(", ")],
    ["batching", [BATCHING[batching] ?? "", batchSize(config?.maxBatchSize)].filter(Boolean).join(", ")],
    ["golden rows", loaded ? goldenText(goldenCases) : ""],
    ["score", model.scoreOutput],
    [
      "trees",
      treeKernel === undefined
        ? ""
        : treeKernel.used
          ? "Assay's own code"
          : `ONNX Runtime: ${treeKernel.reason}`,
    ],
    ["labels", versionLabels.join(", ")],
    ["made by", producer],
    ["file", model.fileBytes === 0n ? "" : bytesText(Number(model.fileBytes))],
  ];
  return h(
    "dl",
    { class: "facts" },
    ...facts
      .filter(([, text]) => text !== "")
      .map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))),
  );
}

function goldenText(count: number): string {
  if (count === 0) return "none: add golden.json to prove its scores at each load";
  return count === 1 ? "1 case met" : `${count} cases met`;
}

function batchSize(most: number | undefined): string {
  return most === undefined || most === 0 ? "" : `at most ${most} rows`;
}

/** A length of memory or of a file. */
export function bytesText(count: number): string {
  if (count < 1024) return `${count} B`;
  const step = count < 1024 ** 2 ? 1 : count < 1024 ** 3 ? 2 : 3;
  return `${Number((count / 1024 ** step).toPrecision(3))} ${["", "KiB", "MiB", "GiB"][step]}`;
}

/** Inputs and outputs, notices and repairs: what is looked up now and then. */
export function signatureView(model: Model): HTMLElement {
  const { inputs, outputs, notices, repairs } = model;
  return h(
    "details",
    { class: "signature" },
    h("summary", {}, "Signature"),
    specTable("Inputs", inputs),
    specTable("Outputs", outputs),
    listView("Notices", notices),
    listView(
      "Repairs",
      repairs.map(({ target, description }) => (target === "" ? description : `${target}: ${description}`)),
    ),
    model.sha256 === "" ? undefined : h("p", { class: "hint wrap" }, `SHA-256 ${model.sha256}`),
  );
}

function listView(title: string, texts: readonly string[]): HTMLElement | undefined {
  if (texts.length === 0) return undefined;
  return h("div", {}, h("h3", {}, title), h("ul", {}, ...texts.map((text) => h("li", {}, text))));
}

function specTable(title: string, specs: readonly TensorSpec[]): HTMLElement {
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
    h(
      "table",
      {},
      h("caption", {}, title),
      h(
        "thead",
        {},
        h("tr", {}, ...["name", "type", "shape", "values"].map((name) => h("th", { scope: "col" }, name))),
      ),
      h(
        "tbody",
        {},
        ...specs.map((spec) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, spec.name),
            h("td", {}, spec.datatype),
            h("td", {}, `[${spec.shape.map((axis) => (axis === -1n ? "n" : String(axis))).join(", ")}]`),
            h("td", {}, valuesText(spec)),
          ),
        ),
      ),
    ),
  );
}

const MOST_NAMES = 12;

function valuesText({ featureNames, labels, categories, optional, aliases }: TensorSpec): string {
  const names = [featureNames, labels, categories].find((list) => list.length > 0) ?? [];
  const shown =
    names.slice(0, MOST_NAMES).join(", ") + (names.length > MOST_NAMES ? ` … ${names.length} in all` : "");
  const also = aliases.length === 0 ? "" : `also ${aliases.join(", ")}`;
  return [shown, optional ? "optional" : "", also].filter(Boolean).join("; ");
}
