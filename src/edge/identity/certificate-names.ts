import type { TLSSocket } from "node:tls";

/**
 * The names in the certificate of a connection's peer: the subject alternative names, each without its kind, then the common name. None
 * where the connection has no certificate that one of the server's authorities signed.
 */
export function certificateNames(connection: object): string[] {
  const socket = connection as Partial<TLSSocket>;
  if (socket.authorized !== true || socket.getPeerCertificate === undefined) return [];
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const common: unknown = subject?.CN;
  const names = alternativeNames(subjectaltname ?? "");
  if (typeof common === "string") names.push(common);
  else if (Array.isArray(common)) names.push(...common.filter((one) => typeof one === "string"));
  return names;
}

/** What Node prints of the alternative names: `DNS:a, URI:"with, comma"`; names with odd signs stand in quotes, as JSON. */
export function alternativeNames(text: string): string[] {
  const names: string[] = [];
  for (const [, kind, value = ""] of text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    if (!NAMED.has(kind!)) continue;
    const name = value.startsWith('"') ? unquoted(value) : value;
    if (name !== "") names.push(name);
  }
  return names;
}

const NAMED = new Set(["DNS", "URI", "email", "IP Address"]);

function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch {
    return "";
  }
}
