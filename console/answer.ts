/** What a call was answered with: score, label, a number for each class; or why it was not. */
import type { Model } from "../gen/assay/v1/model_service_pb.ts";
import type { PredictResponse } from "../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../gen/assay/v1/tensor_pb.ts";
import { h } from "./dom.ts";
import type { Refusal } from "./faults.ts";
import type { Fault } from "./form/fields-form.ts";
import { numbersOf, textsOf } from "./tensor-values.ts";

const MOST_VALUES = 32;

/** Shows an answer; `elapsedMs` from the call to it, as this page saw it. */
export function answerView(model: Model, response: PredictResponse, elapsedMs: number): HTMLElement {
  const { scores, labels, outputs, modelVersion } = response;
  const classes = outputs.find(({ name }) => labelsOf(model, name).length > 0);
  const rest = outputs.filter((output) => output !== classes);
  return h(
    "div",
    { class: "answer" },
    h(
      "dl",
      { class: "result" },
      ...(labels[0] === undefined ? [] : [h("div", {}, h("dt", {}, "label"), h("dd", {}, labels[0]))]),
      ...(scores[0] === undefined ? [] : [h("div", {}, h("dt", {}, "score"), h("dd", {}, short(scores[0])))]),
    ),
    classes === undefined ? undefined : classBars(labelsOf(model, classes.name), numbersOf(classes)),
    ...rest.map(tensorView),
    h(
      "p",
      { class: "hint" },
      `${model.modelName} version ${modelVersion}, ${elapsedMs.toFixed(1)} ms there and back`,
    ),
  );
}

/** Shows why there is no answer; faults that stand beside their fields are not told again. */
export function refusalView(
  { code, reason, message, faultCount }: Refusal,
  elsewhere: readonly Fault[],
): HTMLElement {
  const shown = faultCount > 0 && elsewhere.length === 0 ? "" : message;
  return h(
    "div",
    { class: "answer refusal" },
    h("p", {}, h("strong", {}, reason === "" ? code : reason), ` ${faultCount > 0 ? count(faultCount) : ""}`),
    elsewhere.length > 0
      ? h(
          "ul",
          {},
          ...elsewhere.map(({ field, description }) => h("li", {}, h("code", {}, field), ` ${description}`)),
        )
      : shown === ""
        ? undefined
        : h("p", {}, shown),
  );
}

function count(faultCount: number): string {
  return faultCount === 1 ? "One value is not right." : `${faultCount} values are not right.`;
}

function labelsOf({ outputs }: Model, name: string): readonly string[] {
  return outputs.find((output) => output.name === name)?.labels ?? [];
}

/** A bar for each class, the highest first where they are many. */
function classBars(labels: readonly string[], numbers: readonly number[]): HTMLElement {
  const bars = labels.map((label, index) => ({ label, value: numbers[index] ?? Number.NaN }));
  if (bars.length > 12) bars.sort((one, other) => other.value - one.value);
  const highest = Math.max(1, ...bars.map(({ value }) => Math.abs(value)));
  return h(
    "table",
    { class: "bars" },
    h("caption", {}, "By class"),
    h(
      "tbody",
      {},
      ...bars.slice(0, MOST_VALUES).map(({ label, value }) => {
        const bar = h("span", { class: "bar" });
        bar.style.inlineSize = `${Math.max(0, (value / highest) * 100)}%`;
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, label),
          h("td", { class: "track" }, bar),
          h("td", { class: "number" }, short(value)),
        );
      }),
    ),
  );
}

function tensorView(tensor: Tensor): HTMLElement {
  const values = tensor.datatype === "BYTES" ? textsOf(tensor) : numbersOf(tensor).map(short);
  const more = values.length > MOST_VALUES ? ` … ${values.length - MOST_VALUES} more` : "";
  const text =
    values.length === 0 ? `${tensor.datatype}, not shown` : values.slice(0, MOST_VALUES).join(", ") + more;
  return h(
    "p",
    { class: "tensor" },
    h("code", {}, `${tensor.name} [${tensor.shape.join(", ")}]`),
    ` ${text}`,
  );
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}
