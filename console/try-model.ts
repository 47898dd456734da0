/** A form that scores a row with a model, what came of it, and the same call in other words. */
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { Model } from "../gen/assay/v1/model_service_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../gen/assay/v1/scoring_service_pb.ts";
import { answerView, refusalView } from "./answer.ts";
import { copyButton, h } from "./dom.ts";
import { refusalOf } from "./faults.ts";
import { type Fault, fieldsForm } from "./form/fields-form.ts";
import { planForm } from "./form/form-plan.ts";
import { fieldsRequest, imageRequest, localFaults, targetOf } from "./form/form-request.ts";
import { imageGrid } from "./form/image-grid.ts";
import { jsonForm } from "./form/json-form.ts";
import { bearerKey, scoring } from "./server.ts";
import { snippetsOf } from "./snippets.ts";

/** Where values are given, whatever it looks like. */
interface RequestForm {
  readonly element: HTMLElement;
  /** Throws where there is no request in what was given. */
  request(): PredictRequest;
  /** What is wrong, before anybody is asked. */
  faults(): readonly Fault[];
  /** Shows faults in their places, and answers those that have none. */
  showFaults(faults: readonly Fault[]): readonly Fault[];
  reset(): void;
}

/** The whole of it; `onRefused` hears of calls that want a key. */
export function tryModel(model: Model, onRefused: (error: unknown) => void): HTMLElement {
  const answer = h(
    "div",
    { class: "answer-place", "aria-live": "polite" },
    h("p", { class: "hint" }, "No score yet."),
  );
  const snippets = snippetTabs();
  const onChange = () => {
    try {
      snippets.show(form.request());
    } catch {
      // Half-written JSON is no call.
    }
  };
  const form = formOf(model, onChange);
  const send = async (event: Event) => {
    event.preventDefault();
    const faults = form.faults();
    if (faults.length > 0) {
      const refusal = {
        code: "InvalidArgument",
        reason: "INVALID_REQUEST",
        message: "",
        faults,
        faultCount: faults.length,
      };
      answer.replaceChildren(refusalView(refusal, form.showFaults(faults)));
      return;
    }
    try {
      const request = form.request();
      snippets.show(request);
      const began = performance.now();
      const response = await scoring.predict(request, { timeoutMs: 60_000 });
      form.showFaults([]);
      answer.replaceChildren(answerView(model, response, performance.now() - began));
    } catch (error) {
      const refusal = refusalOf(error);
      answer.replaceChildren(refusalView(refusal, form.showFaults(refusal.faults)));
      onRefused(error);
    }
  };
  const reset = () => {
    form.reset();
    form.showFaults([]);
    onChange();
  };
  onChange();
  return h(
    "section",
    { class: "try", "aria-label": "Score a row" },
    h(
      "form",
      { submit: (event) => void send(event), novalidate: true },
      h("h2", {}, "Score a row"),
      form.element,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "submit", class: "primary" }, "Score"),
        h("button", { type: "button", class: "quiet", click: reset }, "Example"),
      ),
    ),
    h(
      "div",
      { class: "outcome" },
      h("h2", {}, "Answer"),
      answer,
      h("h2", {}, "The same call"),
      snippets.element,
    ),
  );
}

function formOf(model: Model, onChange: () => void): RequestForm {
  const plan = planForm(model);
  const target = targetOf(model);
  if (plan.form === "json") return jsonRequestForm(model, onChange);
  if (plan.form === "image") {
    const grid = imageGrid(plan.width, plan.height, plan.full, onChange);
    grid.fill(plan.example);
    return {
      element: grid.element,
      request: () => imageRequest(plan, grid.values(), target),
      faults: () => [],
      showFaults: (faults) => faults,
      reset: () => grid.fill(plan.example),
    };
  }
  const fields = fieldsForm(plan.fields, onChange);
  return {
    element: fields.element,
    request: () => fieldsRequest(plan.form, plan.fields, fields.texts(), target),
    faults: () => localFaults(plan.form, plan.fields, fields.texts()),
    showFaults: (faults) => fields.showFaults(faults),
    reset: () => fields.fill(plan.fields.map(({ example }) => example)),
  };
}

/** For signatures that no form of fields fits. */
function jsonRequestForm(model: Model, onChange: () => void): RequestForm {
  const { exampleRequest, modelName } = model;
  const example: JsonValue =
    exampleRequest === undefined ? { modelName } : toJson(PredictRequestSchema, exampleRequest);
  const text = JSON.stringify(example, undefined, 2);
  const form = jsonForm(text, onChange);
  return {
    element: form.element,
    request: () => fromJson(PredictRequestSchema, JSON.parse(form.text()) as JsonValue),
    faults: () => [],
    showFaults: (faults) => faults,
    reset: () => form.fill(text),
  };
}

function snippetTabs() {
  const names = ["curl", "grpcurl", "Python", "TypeScript"] as const;
  const code = h("code", {});
  const panel = h("pre", { id: "snippet", tabindex: 0, role: "tabpanel" }, code);
  let texts: readonly string[] = [];
  let chosen = 0;
  const tabs = names.map((name, index) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${name}`,
        "aria-controls": "snippet",
        click: () => choose(index),
        keydown: (event) => {
          const { key } = event as KeyboardEvent;
          const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
          if (step !== 0) choose((chosen + step + names.length) % names.length).focus();
        },
      },
      name,
    ),
  );
  const choose = (index: number): HTMLButtonElement => {
    chosen = index;
    for (const [at, tab] of tabs.entries()) {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", tabs[index]!.id);
    code.textContent = texts[index] ?? "";
    return tabs[index]!;
  };
  choose(0);
  const element = h(
    "div",
    { class: "snippets" },
    h(
      "div",
      { class: "tabs" },
      h("div", { role: "tablist", "aria-label": "Tool or language" }, ...tabs),
      copyButton(() => texts[chosen] ?? "", "the call"),
    ),
    panel,
  );
  return {
    element,
    show(request: PredictRequest) {
      texts = snippetsOf(request, { origin: location.origin, hasKey: bearerKey() !== "" }).map(
        ({ text }) => text,
      );
      code.textContent = texts[chosen] ?? "";
    },
  };
}
