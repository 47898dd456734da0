import { didYouMean } from "../wording/nearest-name.ts";

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
  const names = plain.map((resource) => resource.slice(resource.indexOf("/")));
  const what = `there is ${plain.join(", ")}, and the services ${[...services.keys()].join(", ")} at /{service}/{method}`;
  return `${didYouMean(`/${first}`, new Set(names))}; ${what}`;
}
