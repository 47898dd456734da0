/** Where a request goes. */
export interface RequestTarget {
  /** Path with its query. */
  readonly path: string;
  readonly authority: string;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;

/**
 * Reads the target of an HTTP/1.1 request line. Servers take the absolute form too (`GET http://host/path`), and its authority counts
 * then, not the Host field's (RFC 9112, 3.2.2).
 */
export function requestTarget(target: string, host: string): RequestTarget {
  if (target.startsWith("/")) return { path: target, authority: host };
  const absolute = ABSOLUTE.exec(target);
  if (absolute === null) return { path: target, authority: host };
  const [, authority = "", rest = ""] = absolute;
  return { path: rest.startsWith("/") ? rest : `/${rest}`, authority };
}
