import net from "node:net";
import tls from "node:tls";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ServerUrl } from "./server-url.ts";

const PROBE_TIMEOUT_MS = 1_000;
/** The client's connection preface and an empty SETTINGS frame (RFC 9113 section 3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
/** What the system says where there is no connection at all. */
const NO_CONNECTION = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EACCES)$/;
const CLEARTEXT = /WRONG_VERSION_NUMBER|EPROTO|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/;
const NOT_TRUSTED = /SELF_SIGNED|UNABLE_TO_|CERT_|ERR_TLS_CERT/;

/**
 * Says what listens at a URL where HTTP/2 came to nothing: TLS on a cleartext port, cleartext on a TLS port, a server of
 * HTTP/1.1 alone, a certificate that is not trusted. It asks by one or two short connections. Undefined: it cannot tell.
 */
export async function foreignServer(
  url: ServerUrl,
  error: Error | undefined,
  signal: AbortSignal,
): Promise<AssayError | undefined> {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (NO_CONNECTION.test(code)) return undefined;
  const says = (what: string) =>
    new AssayError(Reason.SERVER_UNREACHABLE, `${url.origin}: ${what}`, { cause: error });
  if (url.isSecure) {
    if (NOT_TRUSTED.test(code)) {
      return says(
        `its certificate is not trusted (${code}): give the authority that signed it, by NODE_EXTRA_CA_CERTS=<file>.pem`,
      );
    }
    if (/NO_APPLICATION_PROTOCOL/.test(code)) return says("it speaks no HTTP/2 there, which gRPC needs");
    const isCleartext = CLEARTEXT.test(code) || isSettings(await firstBytes(url, signal));
    return isCleartext ? says(`it speaks no TLS there: use http://${new URL(url.origin).host}`) : undefined;
  }
  const first = await firstBytes(url, signal);
  if (first.length >= 2 && (first[0] === 0x15 || first[0] === 0x16) && first[1] === 3)
    return says(useTls(url));
  const text = first.toString("latin1");
  if (text.startsWith("HTTP/1.")) {
    const line = /^[ -~]{0,80}/.exec(text)?.[0] ?? "";
    return says(
      `a server of HTTP/1.1 answered (${line}); gRPC needs HTTP/2: is this Assay's port, and does a proxy before it pass HTTP/2 on?`,
    );
  }
  if (first.length === 0 && (await speaksTls(url, signal))) return says(useTls(url));
  if (first.length === 0) return undefined;
  return says(
    `what answered there speaks no HTTP/2; its first bytes are ${first.subarray(0, 8).toString("hex")}`,
  );
}

/** Whether bytes begin with a SETTINGS frame of stream 0: a server of HTTP/2 (RFC 9113 section 6.5). */
function isSettings(bytes: Buffer): boolean {
  return bytes.length >= 9 && bytes[3] === 4 && bytes.readUInt32BE(5) === 0;
}

/** Says that TLS is spoken at a URL of http. */
export function useTls(url: ServerUrl): string {
  return `it speaks TLS there: use https://${new URL(url.origin).host}`;
}

/** What comes first when a connection opens with HTTP/2's preface; empty where nothing comes. */
function firstBytes(url: ServerUrl, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: url.host, port: url.port, signal });
    const done = (bytes: Buffer) => {
      socket.destroy();
      resolve(bytes);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done(Buffer.alloc(0)));
    socket.once("connect", () => socket.write(PREFACE));
    socket.once("data", done);
    socket.once("error", () => done(Buffer.alloc(0)));
    socket.once("close", () => done(Buffer.alloc(0)));
  });
}

/** Whether a TLS handshake succeeds, whatever the certificate: nothing is sent over it. */
function speaksTls(url: ServerUrl, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const { host, port } = url;
    const socket = tls.connect({ host, port, ALPNProtocols: ["h2"], rejectUnauthorized: false });
    const abort = () => done(false);
    const done = (speaks: boolean) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(speaks);
    };
    signal.addEventListener("abort", abort);
    socket.setTimeout(PROBE_TIMEOUT_MS, abort);
    socket.once("secureConnect", () => done(true));
    socket.once("error", abort);
    socket.once("close", abort);
  });
}
