/** The head of the page: the server, how it is, and its figures in short. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServerFigures, WatchFiguresResponse } from "../gen/assay/v1/console_service_pb.ts";
import { h, setText } from "./dom.ts";
import { compact } from "./figures/charts.ts";
import type { Sample } from "./figures/series.ts";
import { bytesText } from "./model-facts.ts";

/** The head in the page. */
export interface ServerLine {
  readonly element: HTMLElement;
  show(message: WatchFiguresResponse, latest: Sample | undefined): void;
  /** Says that figures stopped, and why. */
  lost(why: string): void;
}

const NAMES = ["requests", "rows", "open calls", "connections", "memory", "CPU", "up"] as const;

/** Makes the head. */
export function createServerLine(title: string, keyButton: HTMLElement): ServerLine {
  const state = h("span", { class: "badge", role: "status" }, "connecting");
  const name = h("a", { href: "#/", class: "title" }, title);
  const values = new Map(NAMES.map((each) => [each, h("dd", {}, "–")]));
  const figures = h(
    "dl",
    { class: "figures" },
    ...[...values].map(([each, value]) => h("div", {}, h("dt", {}, each), value)),
  );
  const links = [
    ["/docs", "API"],
    ["/openapi.json", "OpenAPI"],
    ["/metrics", "Metrics"],
  ].map(([href, text]) => h("a", { href }, text));
  let before: { readonly at: number; readonly cpu: number } | undefined;
  const set = (each: (typeof NAMES)[number], text: string) => setText(values.get(each)!, text);
  return {
    element: h(
      "header",
      { class: "server" },
      name,
      state,
      figures,
      h("nav", { "aria-label": "Server" }, ...links, keyButton),
    ),
    show({ server, takenAt }, latest) {
      if (server === undefined) return;
      setText(name, `${server.serverName} ${server.serverVersion}`);
      setText(state, stateOf(server));
      state.className = `badge state-${server.ready ? "ready" : "loading"}`;
      set("requests", latest === undefined ? "–" : `${compact(latest.answeredRate)}/s`);
      set("rows", latest === undefined ? "–" : `${compact(latest.rowRate)}/s`);
      set("open calls", String(server.openCalls));
      set("connections", String(server.connections));
      set("memory", bytesText(Number(server.residentBytes)));
      const at = takenAt === undefined ? 0 : timestampMs(takenAt);
      const cpu = server.cpuSeconds;
      if (before !== undefined && at > before.at)
        set("CPU", `${Math.max(0, Math.round(((cpu - before.cpu) / (at - before.at)) * 100_000))} %`);
      before = { at, cpu };
      if (server.startedAt !== undefined) set("up", lengthText((at - timestampMs(server.startedAt)) / 1000));
    },
    lost(why) {
      setText(state, why);
      state.className = "badge state-failed";
    },
  };
}

function stateOf({ ready, draining, loading }: ServerFigures): string {
  if (draining) return "shutting down";
  if (loading) return "loading";
  return ready ? "ready" : "not ready";
}

function lengthText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
