/** All versions that were found: beside the page to choose from, and as a table with what is wrong. */
import type { ModelSummary } from "../gen/assay/v1/model_service_pb.ts";
import { h } from "./dom.ts";
import { stateBadge, troubleView } from "./model-facts.ts";
import { modelAddress } from "./model-view.ts";

/** From so many versions on there is a field to look for one. */
const MANY = 10;

/** The list to choose from. */
export interface ModelNav {
  readonly element: HTMLElement;
  show(models: readonly ModelSummary[], address: string): void;
}

/** Makes the list, empty. */
export function createModelNav(): ModelNav {
  const list = h("ul", {});
  const field = h("input", { type: "search", "aria-label": "Find a model", placeholder: "Find a model" });
  let shown: readonly ModelSummary[] = [];
  let current = "";
  let drawn = "";
  const draw = () => {
    field.hidden = shown.length < MANY;
    const found = shown.filter(({ modelName }) => modelName.includes(field.value.trim()));
    const mark = JSON.stringify([
      found.map(({ modelName, modelVersion, state }) => [modelName, modelVersion, state]),
      current,
    ]);
    if (mark === drawn) return;
    drawn = mark;
    list.replaceChildren(
      item("#/", current === "#/", h("span", { class: "name" }, "All models")),
      ...found.map(({ modelName, modelVersion, state }) => {
        const address = modelAddress(modelName, modelVersion);
        return item(
          address,
          address === current,
          h("span", { class: "name" }, modelName),
          h("span", { class: "version" }, modelVersion),
          stateBadge(state),
        );
      }),
    );
  };
  field.addEventListener("input", draw);
  return {
    element: h("nav", { class: "models", "aria-label": "Models" }, field, list),
    show(models, address) {
      shown = models;
      current = address;
      draw();
    },
  };
}

function item(address: string, isCurrent: boolean, ...children: HTMLElement[]): HTMLElement {
  return h("li", {}, h("a", { href: address, "aria-current": isCurrent ? "page" : undefined }, ...children));
}

/** The table, with why a version does not serve and what to do. */
export function modelTable(models: readonly ModelSummary[]): HTMLElement {
  const { length } = models;
  if (length === 0) return h("p", { class: "hint" }, "No models were found, or none that you may see.");
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "All models" },
    h(
      "table",
      { class: "all-models" },
      h("thead", {}, h("tr", {}, ...["model", "version", "state", ""].map(heading))),
      h("tbody", {}, ...models.map(row)),
    ),
  );
}

function heading(name: string): HTMLElement {
  return name === "" ? h("td", {}) : h("th", { scope: "col" }, name);
}

function row(model: ModelSummary): HTMLElement {
  const { modelName, modelVersion, state, versionLabels, isDefault } = model;
  const notes = [...(isDefault ? ["default"] : []), ...versionLabels].join(", ");
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: modelAddress(modelName, modelVersion) }, modelName)),
    h("td", {}, modelVersion, notes === "" ? undefined : h("span", { class: "hint" }, ` ${notes}`)),
    h("td", {}, stateBadge(state)),
    h("td", {}, troubleView(model)),
  );
}
