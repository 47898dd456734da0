/** The page at `/`: reads the address, asks the server, and shows what it says. */
import type { ModelSummary } from "../gen/assay/v1/model_service_pb.ts";
import { h } from "./dom.ts";
import { refusalOf } from "./faults.ts";
import { createCharts } from "./figures/charts.ts";
import { FigureSeries } from "./figures/series.ts";
import { createKeyDialog } from "./key-dialog.ts";
import { createModelNav, modelTable } from "./model-list.ts";
import { modelAddress, modelView } from "./model-view.ts";
import { models, wantsKey } from "./server.ts";
import { createServerLine } from "./server-line.ts";
import { watchFigures } from "./watch.ts";

/** How often it is asked which models there are. */
const LIST_MS = 5_000;

const series = new FigureSeries();
const charts = createCharts();
const nav = createModelNav();
const place = h("div", { class: "place" });
const chartTitle = h("h2", {}, "Now");
const key = createKeyDialog(() => {
  begin();
  void list();
  void show();
});
const line = createServerLine(document.title, key.button);
let found: readonly ModelSummary[] = [];
/** The model whose figures are drawn; empty: all. */
let drawn = "";
/** What the address asks for, so that an answer that comes late is not shown. */
let asked = "";
let overview = "";

/** `#/models/census/1`; the version may be left out. */
function addressed(): { readonly modelName: string; readonly modelVersion: string } | undefined {
  const [, room, name = "", version = ""] = location.hash.split("/");
  if (room !== "models" || name === "") return undefined;
  return { modelName: decodeURIComponent(name), modelVersion: decodeURIComponent(version) };
}

async function list(): Promise<void> {
  try {
    found = (await models.listModels({})).models;
    showNav();
    if (addressed() === undefined) showOverview();
  } catch (error) {
    refused(error);
  }
}

function showNav(): void {
  const { modelName, modelVersion } = addressed() ?? {};
  const version =
    modelVersion || found.find((one) => one.modelName === modelName && one.isDefault)?.modelVersion;
  nav.show(found, modelName === undefined ? "#/" : modelAddress(modelName, version ?? ""));
}

function showOverview(): void {
  const mark = JSON.stringify(found.map(({ $typeName, $unknown, ...model }) => model));
  if (mark === overview && place.firstElementChild?.className === "overview") return;
  overview = mark;
  const view = h("div", { class: "overview" }, h("h1", { tabindex: -1 }, "All models"), modelTable(found));
  place.replaceChildren(view);
}

async function show(): Promise<void> {
  const wanted = addressed();
  asked = location.hash;
  drawn = wanted?.modelName ?? "";
  chartTitle.textContent = wanted === undefined ? "Now, all models" : `Now, ${wanted.modelName}`;
  charts.draw(series.of(drawn));
  showNav();
  if (wanted === undefined) {
    showOverview();
    return;
  }
  const { hash } = location;
  try {
    const answer = await models.getModel(wanted);
    if (asked === hash) place.replaceChildren(modelView(answer, refused));
  } catch (error) {
    if (asked !== hash) return;
    const { message } = refusalOf(error);
    place.replaceChildren(h("h1", { tabindex: -1 }, wanted.modelName), h("p", { class: "trouble" }, message));
    refused(error);
  }
}

function refused(error: unknown): void {
  if (wantsKey(error)) key.ask(refusalOf(error).message);
}

const root = document.getElementById("page")!;
root.className = "page";
root.replaceChildren(
  nav.element,
  h("main", {}, place, h("section", { "aria-label": "Figures" }, chartTitle, charts.element)),
);
root.before(line.element);
document.body.append(key.dialog);
addEventListener("hashchange", async () => {
  await show();
  // Readers of screens hear of the new view, and the keyboard goes on from its head.
  place.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
});
const begin = watchFigures({
  take(message) {
    series.take(message);
    line.show(message, series.of("").at(-1));
    charts.draw(series.of(drawn));
  },
  lost(error) {
    line.lost(wantsKey(error) ? "no key" : refusalOf(error).reason || "no connection");
    refused(error);
  },
});
void list();
void show();
setInterval(() => {
  if (!document.hidden) void list();
}, LIST_MS);
