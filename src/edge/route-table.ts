/**
 * What the edge serves, a row each: a procedure, `/predict/{model}`, a probe. Comes in: a path. Goes out: its row, and what the path
 * says in the places that the row's pattern leaves open.
 */
import type { ServerStream } from "../http2/stream.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import { nearestPath } from "./nearest-path.ts";

/** What stands in the places of a pattern, by their names, percent-decoded. */
export type PathParams = Readonly<Record<string, string>>;

/**
 * Serves a stream with all that it brings and is sent: fields, octets of one body or message, or messages as they come. False where it
 * is not in the form that is served so.
 */
export type StreamServer = (stream: ServerStream, path: string, params: PathParams) => boolean;

/** One row. */
export interface Route {
  /** A path; a segment in braces is a place for any text: `/predict/{model}`, `/v1/models/{model}:predict`. The first that fits serves. */
  readonly pattern: string;
  /** HTTP's methods of a resource; undefined for a procedure, whose protocols answer other methods in their own form. */
  readonly methods: readonly string[] | undefined;
  /** It is asked whether the server is there: calls do not keep it waiting. */
  readonly isProbe?: boolean;
  /** It answers whoever brings no key too, where the server asks for one; what it tells of models is for those who may know. */
  readonly isOpen?: boolean;
  /** Its calls are many and small: their requests over HTTP/1.1 are read by hand where they are plain. */
  readonly isHot?: boolean;
  /** They are asked in turn; the last one takes every stream. */
  readonly servers: readonly StreamServer[];
}

/** A row for a path. */
export interface FoundRoute {
  readonly route: Route;
  /** Without a slash at its end, for a resource. */
  readonly path: string;
  readonly params: PathParams;
}

/** A place for any text, and what has to stand behind it in its segment. */
const PLACE = /^\{(\w+)\}(:\w+)?$/;
const NO_PARAMS: PathParams = {};
/** Paths of open patterns whose rows are known: callers send the same ones again and again. */
const MOST_KNOWN = 1024;
/** A longer path is looked up anew. */
const MAX_KNOWN_LENGTH = 256;

/** The rows by path; made once for an edge. */
export class RouteTable {
  private readonly exact = new Map<string, FoundRoute>();
  private readonly open: { readonly route: Route; readonly segments: readonly string[] }[] = [];
  private readonly known = new Map<string, FoundRoute>();
  private readonly routes: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.routes = routes;
    for (const route of routes) {
      const segments = route.pattern.split("/");
      if (segments.some((segment) => PLACE.test(segment))) this.open.push({ route, segments });
      else this.exact.set(route.pattern, { route, path: route.pattern, params: NO_PARAMS });
    }
  }

  /** The row for a path without its query; undefined where nothing is served. */
  find(path: string): FoundRoute | undefined {
    const known = this.exact.get(path) ?? this.known.get(path);
    if (known !== undefined) return known;
    const found = this.search(path);
    if (found !== undefined && path.length <= MAX_KNOWN_LENGTH) {
      if (this.known.size === MOST_KNOWN) this.known.clear();
      this.known.set(path, found);
    }
    return found;
  }

  private search(path: string): FoundRoute | undefined {
    // People write a slash at the end, and FastAPI and most frameworks let them.
    const resource = path.length > 1 && path.endsWith("/") ? path.replace(/\/+$/, "") : path;
    const trimmed = this.exact.get(resource);
    if (trimmed?.route.methods !== undefined) return trimmed;
    const segments = resource.split("/");
    for (const { route, segments: pattern } of this.open) {
      const params = matched(pattern, segments);
      if (params !== undefined) return { route, path: resource, params };
    }
    return undefined;
  }

  /** Everything that is served, for messages. */
  served(): ServedPaths {
    const services = new Map<string, string[]>();
    const plain: string[] = [];
    for (const { pattern, methods } of this.routes) {
      if (methods !== undefined) {
        plain.push(`${methods[0]} ${pattern}`);
        continue;
      }
      const [, service = "", method = ""] = pattern.split("/");
      services.set(service, [...(services.get(service) ?? []), method]);
    }
    return { services, plain };
  }
}

function matched(pattern: readonly string[], segments: readonly string[]): PathParams | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const place = PLACE.exec(pattern[i]!);
    const segment = segments[i]!;
    if (place === null) {
      if (pattern[i] !== segment) return undefined;
      continue;
    }
    const [, name = "", ending = ""] = place;
    const text = decoded(segment);
    if (text.length <= ending.length || !text.endsWith(ending)) return undefined;
    params[name] = text.slice(0, text.length - ending.length);
  }
  return params;
}

/** What is no percent-encoding stands for itself. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** What is served, by its names. */
export interface ServedPaths {
  /** Methods by their service's full name. */
  readonly services: ReadonlyMap<string, readonly string[]>;
  /** Resources of plain HTTP, as `GET /livez`. */
  readonly plain: readonly string[];
}

const MAX_SHOWN = 200;

/** Says that nothing is served at a path, and what whoever wrote it most likely meant. */
export function unservedPath(path: string, served: ServedPaths): string {
  const shown = path.length <= MAX_SHOWN ? path : `${path.slice(0, MAX_SHOWN)}…`;
  return `nothing is served at ${shown}${hint(path.slice(0, MAX_SHOWN), served)}`;
}

function hint(path: string, { services, plain }: ServedPaths): string {
  const trimmed = path.replace(/\/+$/, "");
  const [first = "", second = "", ...rest] = trimmed.slice(1).split("/");
  const methods = rest.length === 0 ? services.get(first) : undefined;
  if (methods?.includes(second)) return `; without the slash at its end ${trimmed} is`;
  if (methods !== undefined) {
    return `; ${first} has no method ${JSON.stringify(second)}${didYouMean(second, methods)}; it has ${methods.join(", ")}`;
  }
  if (second !== "" && first.includes(".")) {
    return `; there is no service ${JSON.stringify(first)}${didYouMean(first, services.keys())}; there is ${[...services.keys()].join(", ")}`;
  }
  const group = plain.filter((resource) => firstSegment(resource) === first);
  const near = nearestPath(path, plain.map(pathOf));
  const meant = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  // Where a whole protocol stands under one name, its own paths are what was meant.
  if (group.length >= LARGE_GROUP) return `${meant}; there is ${group.join(", ")}`;
  const names = plain.map(pathOf).filter((name) => name !== "/");
  const what = `there is ${inShort(plain).join(", ")}, and the services ${[...services.keys()].join(", ")} at /{service}/{method}`;
  return `${meant || didYouMean(`/${first}`, new Set(names))}; ${what}`;
}

/** What a resource takes where it does not take the method that came, and the path that may have been meant. */
export function wrongMethod(path: string, method: string, { methods, served }: MethodPlace): string {
  const same = served.plain.filter((resource) => resource.startsWith(`${method} `));
  const near = nearestPath(path, same.map(pathOf));
  const hint = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  return `${path} takes ${methods.join(" and ")}, not ${method}${hint}`;
}

/** Where a method was sent that is not taken there. */
interface MethodPlace {
  readonly methods: readonly string[];
  readonly served: ServedPaths;
}

function pathOf(resource: string): string {
  return resource.slice(resource.indexOf("/"));
}

/** Of more resources with the same first segment only that is told. */
const LARGE_GROUP = 4;

function firstSegment(resource: string): string {
  return resource.split("/")[1] ?? "";
}

function inShort(plain: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const resource of plain) {
    const first = firstSegment(resource);
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  const shown = plain.map((resource) => {
    const first = firstSegment(resource);
    return counts.get(first)! < LARGE_GROUP ? resource : `/${first}/…`;
  });
  return [...new Set(shown)];
}
