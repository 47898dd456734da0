/** Who sees the pages for people (`--console`), and who wants one. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { ANONYMOUS, type Caller, STRANGER } from "../../registry/caller.ts";

/** Everybody, nobody, or those who may administer the server. */
export type ConsoleMode = "on" | "off" | "admin-only";

/** Throws UNIMPLEMENTED, naming the flag, where a caller sees no pages: for them there is nothing at the path. */
export function checkConsole(mode: ConsoleMode, caller: Caller): void {
  if (mode === "on" || (mode === "admin-only" && mayAdminister(caller))) return;
  const why = `the server runs with --console ${mode}`;
  const what = "there are no pages for browsers here";
  throw new AssayError(Reason.UNIMPLEMENTED, `${what}: ${why}; /openapi.json has the same for programs`);
}

/**
 * The same for the console, which is nothing without what it asks the server for: whoever brings no key, as a browser does that begins, gets
 * it to be asked for one.
 */
export function checkShell(mode: ConsoleMode, caller: Caller): void {
  if (mode === "off" || caller !== STRANGER) checkConsole(mode, caller);
}

/** Nobody who brings no identity has the permission. */
function mayAdminister(caller: Caller): boolean {
  return caller !== ANONYMOUS && caller.isAdmin;
}
/** True where `text/html` is wanted more than JSON (RFC 9110, 12.5.1); whoever takes anything gets JSON. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const html = quality(accept, "text/html");
  return html > 0 && html > quality(accept, "application/json");
}

/** The weight of a type: that of the range that names it most exactly. */
function quality(accept: string, type: string): number {
  const [main = ""] = type.split("/");
  const ranges = [type, `${main}/*`, "*/*"];
  let best = ranges.length;
  let weight = 0;
  for (const one of accept.split(",")) {
    const [range = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    const place = ranges.indexOf(range);
    if (place === -1 || place >= best) continue;
    best = place;
    const given = parameters.find((parameter) => parameter.startsWith("q="));
    const number = given === undefined ? 1 : Number(given.slice(2));
    weight = Number.isNaN(number) ? 1 : number;
  }
  return weight;
}
