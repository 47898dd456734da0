/** What stands at `/`: for programs and for people. */
import { ModelState, type ModelSummary } from "../../../gen/assay/v1/model_service_pb.ts";
import type { Readiness } from "../../registry/models.ts";
import { readyzResponse } from "../admin/probes.ts";
import type { ServerFacts } from "../inference/metadata.ts";
import { escaped } from "./page.ts";

/** A server as it tells of itself. */
export interface Home {
  readonly facts: ServerFacts;
  readonly readiness: Readiness;
  readonly models: readonly ModelSummary[];
  /** There are pages beside it. */
  readonly hasPages: boolean;
}

/** For programs; KServe's client asks for `status`. */
export function homeJson({ facts, readiness, models, hasPages }: Home): unknown {
  return {
    status: "alive",
    name: facts.serverName,
    version: facts.version,
    state: stateOf(readiness),
    models: models.map(({ modelName, modelVersion, state, stateReason, isDefault, versionLabels }) => ({
      name: modelName,
      version: modelVersion,
      state: stateName(state),
      reason: stateReason,
      default: isDefault,
      labels: versionLabels,
      docs: docsPath(modelName),
    })),
    links: {
      openapi: "/openapi.json",
      ...(hasPages ? { docs: "/docs" } : {}),
      ready: "/readyz",
      metrics: "/metrics",
      models: "/v2/models",
      predict: "/predict/{model}",
    },
  };
}

const MOST_ROWS = 1000;

/** For people; its script puts the console in the place of what stands here, which is for browsers without one. */
export function homePage({ facts, readiness, models }: Home): string {
  const name = escaped(facts.serverName);
  const rows = models
    .slice(0, MOST_ROWS)
    .map(
      ({ modelName, modelVersion, state, stateReason }) =>
        `<tr><td><a href="${escaped(docsPath(modelName))}">${escaped(modelName)}</a></td><td>${escaped(modelVersion)}</td>` +
        `<td>${stateName(state)}</td><td>${escaped(stateReason)}</td></tr>`,
    );
  const more =
    models.length > MOST_ROWS
      ? `<p>and ${models.length - MOST_ROWS} more: <a href="/v2/models">all</a></p>`
      : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<link rel="icon" href="/console/favicon-32x32.png">
<link rel="stylesheet" href="/console/console.css">
<script src="/console/console.js" type="module"></script>
</head>
<body>
<div id="page">
<main>
<h1>${name} ${escaped(facts.version)}: ${escaped(stateOf(readiness))}</h1>
<p><a href="/docs">Try a model</a> · <a href="/openapi.json">OpenAPI</a> · <a href="/readyz">readiness</a> · <a href="/metrics">metrics</a></p>
<table>
<thead><tr><th>model</th><th>version</th><th>state</th><th>why</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
${more}</main>
</div>
</body>
</html>
`;
}

function docsPath(modelName: string): string {
  return `/v2/models/${encodeURIComponent(modelName)}/docs`;
}

function stateOf(readiness: Readiness): string {
  return (readyzResponse(readiness).body as { status: string }).status;
}

function stateName(state: ModelState): string {
  return Object.entries(ModelState).find(([, value]) => value === state)?.[0] ?? "";
}
