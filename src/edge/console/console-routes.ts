/** `/`, `/docs` and the OpenAPI documents. What they are made with is loaded when the first of them is asked for. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { STRANGER } from "../../registry/caller.ts";
import type { ModelsService, Readiness } from "../../registry/models.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { publicMessage } from "../call/error-details.ts";
import { errorRow } from "../call/error-table.ts";
import type { AskedIdentity } from "../identity/asked-identity.ts";
import type { ServerFacts } from "../inference/metadata.ts";
import type { ControlMode } from "../inference/model-control.ts";
import { resource } from "../inference-rest/server-routes.ts";
import type { OpenApiDocuments } from "../openapi/documents.ts";
import type { PlainRequest, PlainResponse, PlainRoute } from "../plain/plain-http.ts";
import { type ConsoleMode, checkShell, prefersHtml } from "./console-access.ts";
import { type Home, homeJson, homePage } from "./home-page.ts";
import { docsPage, HTML, PAGE_FIELDS } from "./page.ts";
import { PageFiles } from "./page-files.ts";

/** What the routes tell of. */
export interface ConsoleParts {
  readonly scoring: Pick<ScoringService, "resolve">;
  readonly models: ModelsService;
  readonly readiness: () => Readiness;
  readonly facts: ServerFacts;
  readonly controlMode: ControlMode;
  readonly consoleMode: ConsoleMode;
  readonly identity: AskedIdentity;
}

const READ = ["GET", "HEAD"];
/** Asked for again each time; it comes only where it is another one. */
const KEPT = ["cache-control", "no-cache"] as const;
const BY_CODING = ["vary", "accept-encoding"] as const;
const BY_FORM = ["vary", "accept, accept-encoding"] as const;

/** The rows. */
export function consoleRoutes(parts: ConsoleParts): PlainRoute[] {
  const { models, readiness, facts, consoleMode } = parts;
  const files = new PageFiles();
  let documents: Promise<OpenApiDocuments> | undefined;
  const lazily = (): Promise<OpenApiDocuments> => {
    documents ??= openDocuments(parts);
    return documents;
  };
  const home = ({ headers, call }: PlainRequest): PlainResponse => {
    const isPage = prefersHtml(headers.get("accept"));
    if (isPage) checkShell(consoleMode, call.caller);
    else if (call.caller === STRANGER) throw wantsKey();
    const all: Home = {
      facts,
      readiness: readiness(),
      models: models.list(call.caller),
      hasPages: consoleMode !== "off",
    };
    return isPage ? page(homePage(all)) : { status: 200, body: homeJson(all), fields: [["vary", "accept"]] };
  };
  const modelDocs = async ({ params, headers, path, call }: PlainRequest): Promise<PlainResponse> => {
    const { model = "", version = "" } = params;
    const isStranger = call.caller === STRANGER;
    const isPage = prefersHtml(headers.get("accept"));
    if (isStranger && !isPage) throw wantsKey();
    // Whoever brings no key is not told whether there is such a model: the page asks for one.
    const body = isStranger ? undefined : await (await lazily()).model(model, version, call.caller);
    if (body !== undefined && !isPage) return body.answer({ headers }, [KEPT, BY_FORM]);
    checkShell(consoleMode, call.caller);
    return page(docsPage(version === "" ? model : `${model}, version ${version}`, path));
  };
  return [
    open(route("/", home)),
    route("/openapi.json", async ({ headers, call }) =>
      (await (await lazily()).server(call.caller)).answer({ headers }, [KEPT, BY_CODING]),
    ),
    open(
      route("/docs", ({ call }) => {
        checkShell(consoleMode, call.caller);
        return page(docsPage(facts.serverName, "/openapi.json"));
      }),
    ),
    ...["/docs/{file}", "/console/{file}"].map((pattern) =>
      open(
        route(pattern, (request) => {
          checkShell(consoleMode, request.call.caller);
          return files.answer(request);
        }),
      ),
    ),
    ...["/v2/models/{model}/docs", "/v2/models/{model}/versions/{version}/docs"].map((pattern) =>
      open(hiding(resource(pattern, READ, modelDocs))),
    ),
  ];
}

/** Answered to whoever brings no key too, as a browser that begins: what it is answered names no model. */
function open(row: PlainRoute): PlainRoute {
  return { ...row, isOpen: true };
}

function wantsKey(): AssayError {
  return new AssayError(
    Reason.UNAUTHENTICATED,
    "this server answers those who bring a key that it knows: authorization: Bearer KEY; the console, for a browser, is shown without one and asks for it",
  );
}

/** Where there are no pages, there is none here either: 404, where the protocol has 501 for what a server does not do. */
function hiding(row: PlainRoute): PlainRoute {
  return {
    ...row,
    errorResponse(error, place, call) {
      const response = row.errorResponse(error, place, call);
      return error.reason === Reason.UNIMPLEMENTED ? { ...response, status: 404 } : response;
    },
  };
}

async function openDocuments(parts: ConsoleParts): Promise<OpenApiDocuments> {
  const { facts, controlMode, identity } = parts;
  const { OpenApiDocuments } = await import("../openapi/documents.ts");
  return new OpenApiDocuments({
    ...parts,
    facts: { ...facts, canLoad: controlMode === "explicit", identity },
  });
}

function page(text: string): PlainResponse {
  const fields = [...PAGE_FIELDS, KEPT, BY_FORM];
  return { status: 200, body: Buffer.from(text), contentType: HTML, fields };
}

function route(pattern: string, handle: PlainRoute["handle"]): PlainRoute {
  return {
    pattern,
    methods: READ,
    handle,
    errorResponse: (error: AssayError) => {
      const { httpStatus } = errorRow(error.reason);
      return { status: httpStatus, body: { message: publicMessage(error) } };
    },
  };
}
