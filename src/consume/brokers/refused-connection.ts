/** Why brokers cannot be spoken with, where TLS or SASL is the reason: what a person has to mend. */
import type { ConsumeSettings } from "../../config/consume-settings.ts";
import { isUntrusted, untrustedCertificate } from "../../wording/untrusted-certificate.ts";

/** What of the settings a connection depends on. */
export type ConnectionSettings = Pick<
  ConsumeSettings,
  "brokers" | "tlsTexts" | "tlsCaFile" | "saslMechanism" | "saslUsername"
>;

const MOST_DEPTH = 8;

interface ErrorFacts {
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
  readonly code?: string;
  readonly apiId?: string;
  readonly message?: string;
}

/** A sentence for whoever has to mend it; undefined: TLS and SASL are not the reason, or it does not show. */
export function refusedConnection(error: unknown, settings: ConnectionSettings): string | undefined {
  const { tlsTexts, tlsCaFile, saslMechanism, saslUsername } = settings;
  const facts = [...factsOf(error, 0)];
  const said = (text: string) => facts.find(({ message }) => message?.includes(text) === true);
  const ofCode = (test: (code: string) => boolean) =>
    facts.find(({ code }) => code !== undefined && test(code));
  const isApi = (id: string) => facts.some(({ apiId }) => apiId === id);
  if (isApi("UNSUPPORTED_SASL_MECHANISM"))
    return `they do not take ${saslMechanism}: --sasl-mechanism is to name one that is enabled at this listener`;
  if (isApi("SASL_AUTHENTICATION_FAILED") || said("SASL authentication failed") !== undefined)
    return `they refuse the user ${JSON.stringify(saslUsername)}: is its password right, and was it made for ${saslMechanism}?`;
  const untrusted = ofCode(isUntrusted);
  if (untrusted !== undefined)
    return untrustedCertificate("their", `${untrusted.message}`, tlsCaFile, "--tls-ca-file");
  if (ofCode((code) => code === "CERT_HAS_EXPIRED") !== undefined) return "their certificate has expired";
  const misnamed = ofCode((code) => code === "ERR_TLS_CERT_ALTNAME_INVALID");
  if (misnamed !== undefined)
    return `their certificate is for other names (${misnamed.message}): --brokers is to name them as it does`;
  const isNoTls =
    ofCode((code) => code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO") !== undefined ||
    said("before secure TLS connection was established") !== undefined;
  if (isNoTls) return "they do not speak TLS at this port: name another one, or leave --tls out";
  if (ofCode((code) => /^ERR_SSL_.*(ALERT|CERTIFICATE)/.test(code)) !== undefined)
    return `they end TLS themselves (${facts.at(-1)?.message}): do they want a certificate, --tls-cert-file?`;
  if (said("Broker requires TLS") !== undefined) return "they speak TLS at this port: say --tls";
  const lacking = [
    ...(tlsTexts === undefined ? ["--tls"] : []),
    ...(saslMechanism === "" ? ["--sasl-mechanism"] : []),
  ];
  if (lacking.length > 0 && said("Connection closed") !== undefined)
    return `they hang up: does this listener want ${lacking.join(", or ")}?`;
  return undefined;
}

/** An error, those that it holds, and their causes. */
function* factsOf(error: unknown, depth: number): Generator<ErrorFacts> {
  if (typeof error !== "object" || error === null || depth > MOST_DEPTH) return;
  const facts = error as ErrorFacts;
  yield facts;
  for (const inner of facts.errors ?? []) yield* factsOf(inner, depth + 1);
  yield* factsOf(facts.cause, depth + 1);
}
