/** One version of a model: what it is, a form for it, and what it does. */
import type { GetModelResponse } from "../gen/assay/v1/model_service_pb.ts";
import { ModelState } from "../gen/assay/v1/model_service_pb.ts";
import { h } from "./dom.ts";
import { factList, signatureView, stateBadge, troubleView } from "./model-facts.ts";
import { tryModel } from "./try-model.ts";

/** The address of a version in this page. */
export function modelAddress(modelName: string, modelVersion: string): string {
  return `#/models/${encodeURIComponent(modelName)}/${encodeURIComponent(modelVersion)}`;
}

/** The view, without its charts. */
export function modelView(
  { model, versions }: GetModelResponse,
  onRefused: (error: unknown) => void,
): HTMLElement {
  if (model === undefined) return h("div");
  const others = versions.length < 2 ? undefined : versionLinks(model.modelVersion, versions);
  return h(
    "article",
    {},
    h(
      "header",
      { class: "model-head" },
      h("h1", { tabindex: -1 }, model.modelName),
      h("span", { class: "version" }, `version ${model.modelVersion}${model.isDefault ? ", default" : ""}`),
      stateBadge(model.state),
      others,
      h("a", { href: `/v2/models/${encodeURIComponent(model.modelName)}/docs` }, "API docs"),
    ),
    troubleView(model),
    factList(model),
    model.state === ModelState.READY ? tryModel(model, onRefused) : undefined,
    model.inputs.length === 0 ? undefined : signatureView(model),
  );
}

function versionLinks(shown: string, versions: GetModelResponse["versions"]): HTMLElement {
  return h(
    "nav",
    { "aria-label": "Versions", class: "versions" },
    ...versions.map(({ modelName, modelVersion, state, versionLabels }) =>
      h(
        "a",
        {
          href: modelAddress(modelName, modelVersion),
          "aria-current": modelVersion === shown ? "page" : undefined,
        },
        [modelVersion, ...versionLabels].join(" "),
        state === ModelState.READY ? undefined : h("span", { class: "visually-hidden" }, " (not ready)"),
      ),
    ),
  );
}
