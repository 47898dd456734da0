import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";

/** Where a server listens. */
export interface ServerUrl {
  /** `http://localhost:8080`: what messages to users name. */
  readonly origin: string;
  readonly isSecure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const EXAMPLE = "expected one like http://localhost:8080 or https://models.example.com";

/**
 * Reads the URL of a server: `http://` (HTTP/2 without TLS), `https://`, or `host:port` for the former.
 * Throws CONFIG_INVALID, which says what is wrong with the URL and how it is written.
 */
export function parseServerUrl(text: string): ServerUrl {
  const refuse = (problem: string) =>
    new AssayError(Reason.CONFIG_INVALID, `the server's URL ${JSON.stringify(text)} ${problem}; ${EXAMPLE}`);
  if (text.trim() === "") throw refuse("is empty");
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    throw refuse(`has the scheme ${scheme}`);
  }
  const full = scheme === undefined ? `http://${text}` : text;
  if (/^https?:\/\/[^/[]*:[^/[]*:/i.test(full) && !full.includes("@")) {
    throw refuse("has more than one colon; an IPv6 address stands in brackets, [::1]:8080");
  }
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === "") throw refuse("cannot be read");
  if (url.username !== "" || url.password !== "") {
    throw new AssayError(
      Reason.CONFIG_INVALID,
      `the server's URL has a user name or a password, which the server would not read; ${EXAMPLE}`,
    );
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw refuse(
      `goes on after the port (${url.pathname}${url.search}${url.hash}); gRPC has paths of its own`,
    );
  }
  if (scheme === undefined && !/:\d+\/?$/.test(text)) {
    throw refuse("has neither a scheme nor a port");
  }
  const isSecure = url.protocol === "https:";
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  if (port === 0) throw refuse("has port 0");
  return { origin: url.origin, isSecure, host: url.hostname.replace(/^\[|\]$/g, ""), port };
}
