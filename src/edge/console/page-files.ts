/** The files that pages are made of: Swagger UI's, from its package or beside the compiled server, the server's own, the console's. */
import { readFile } from "node:fs/promises";
import { pageFileUrl } from "../../package-files.ts";
import { KeptBody } from "../plain/kept-body.ts";
import type { PlainRequest, PlainResponse } from "../plain/plain-http.ts";
import { consoleFile } from "./console-bundle.ts";
import { PAGE_FIELDS } from "./page.ts";

const JAVASCRIPT = "text/javascript; charset=utf-8";
const CSS = "text/css; charset=utf-8";

/** Types by name; nothing else is served. `scripts/build.ts` puts them into the package. */
const FILES: Readonly<
  Record<string, { readonly read: (name: string) => Promise<Uint8Array>; readonly type: string }>
> = {
  "swagger-ui.css": { read: swaggerFile, type: CSS },
  "swagger-ui-bundle.js": { read: swaggerFile, type: JAVASCRIPT },
  "favicon-32x32.png": { read: swaggerFile, type: "image/png" },
  "start.js": { read: ownFile, type: JAVASCRIPT },
  "page.css": { read: ownFile, type: CSS },
  "console.js": { read: consoleFile, type: JAVASCRIPT },
  "console.css": { read: consoleFile, type: CSS },
};

function swaggerFile(name: string): Promise<Uint8Array> {
  return readFile(pageFileUrl(name, "swagger"));
}

function ownFile(name: string): Promise<Uint8Array> {
  return readFile(pageFileUrl(name, "own"));
}

/** Asked for again each time, and sent only where it is another one; in one of two codings. */
const FIELDS = [["cache-control", "no-cache"], ["vary", "accept-encoding"], ...PAGE_FIELDS] as const;

/** Reads each file once, when it is first asked for. */
export class PageFiles {
  private readonly read = new Map<string, Promise<KeptBody>>();

  /** Answers with the file that a path names last; 404 where there is none. */
  async answer({ params: { file = "" }, path, headers }: PlainRequest): Promise<PlainResponse> {
    const body = await this.body(file);
    if (body !== undefined) return body.answer({ headers }, FIELDS);
    return { status: 404, body: { code: "unimplemented", message: `nothing is served at ${path}` } };
  }

  private body(name: string): Promise<KeptBody> | undefined {
    const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    const known = this.read.get(name);
    if (file === undefined || known !== undefined) return known;
    const read = file.read(name).then((bytes) => new KeptBody(bytes, file.type));
    this.read.set(name, read);
    // A file that could not be read now may be later: descriptors run out, and come back.
    read.catch(() => this.read.delete(name));
    return read;
  }
}
