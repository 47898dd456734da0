/** How callers say who they are, as OpenAPI has it: what a document's `securitySchemes` and `security` are made of. */
import type { JsonObject } from "@bufbuild/protobuf";

/** What a server asks of its callers. */
export interface AskedIdentity {
  /** Keys, with `--keys`. */
  readonly keys: boolean;
  /** Tokens of an issuer, with `--jwks`. */
  readonly tokens: boolean;
  /** Each connection brings a certificate, with `--tls-client-ca`. */
  readonly certificates: boolean;
  /** `/metrics` is answered without a key. */
  readonly openMetrics: boolean;
}

/** The settings that say so. */
export interface IdentitySettings {
  readonly keys: string;
  readonly jwks: string;
  readonly tlsClientCa: string;
  readonly metricsWithoutKey: boolean;
}

/** A server that asks nobody. */
export const NOTHING_ASKED: AskedIdentity = {
  keys: false,
  tokens: false,
  certificates: false,
  openMetrics: true,
};

/** What a server with these settings asks. */
export function askedIdentity({
  keys,
  jwks,
  tlsClientCa,
  metricsWithoutKey,
}: IdentitySettings): AskedIdentity {
  return {
    keys: keys !== "",
    tokens: jwks !== "",
    certificates: tlsClientCa !== "",
    openMetrics: metricsWithoutKey || (keys === "" && jwks === ""),
  };
}

/** The names of both schemes; the page at `/docs` knows the first. */
const BEARER = "bearer";
const CERTIFICATE = "certificate";

/** `components.securitySchemes`; undefined: nothing is asked. */
export function securitySchemes({ keys, tokens, certificates }: AskedIdentity): JsonObject | undefined {
  const schemes: JsonObject = {};
  if (keys || tokens)
    schemes[BEARER] = {
      type: "http",
      scheme: "bearer",
      ...(keys ? {} : { bearerFormat: "JWT" }),
      description: `${BROUGHT[`${keys}-${tokens}`]}, sent as \`authorization: Bearer …\`. It says which models its bearer may use; others are refused with 403.`,
    };
  if (certificates)
    schemes[CERTIFICATE] = {
      type: "mutualTLS",
      description:
        "A client certificate of an authority that the server trusts; a connection without one is closed.",
    };
  return Object.keys(schemes).length === 0 ? undefined : schemes;
}

const BROUGHT: Readonly<Record<string, string>> = {
  "true-true": "A key of the server, or a token (JWT) of its issuer",
  "true-false": "A key of the server",
  "false-true": "A token (JWT) of the server's issuer",
};

/** What a call brings, in the alternatives that there are; `isOpen`: it is answered without a key or token. */
export function security({ keys, tokens, certificates }: AskedIdentity, isOpen: boolean): JsonObject[] {
  const connection: JsonObject = certificates ? { [CERTIFICATE]: [] } : {};
  const asksBearer = (keys || tokens) && !isOpen;
  if (!asksBearer) return certificates ? [connection] : [];
  const withBearer: JsonObject = { ...connection, [BEARER]: [] };
  // A line of the keys may name a certificate.
  return certificates && keys ? [withBearer, connection] : [withBearer];
}
