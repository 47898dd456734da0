import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { ServerUrl } from "../scorer/remote/server-url.ts";
import { quotedList } from "../wording/quoted-list.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** The addresses that are not of this machine alone; an IPv4 address in IPv6's form (::ffff:127.0.0.1) counts as the former. */
export function remoteAddresses(addresses: readonly string[]): string[] {
  return addresses.filter((address) => {
    const family = isIP(address);
    return family === 0 || !LOOPBACK.check(address, family === 6 ? "ipv6" : "ipv4");
  });
}

/**
 * The addresses of a server's host. Load goes to them and not to what the name means a moment later. Throws CONFIG_INVALID where one
 * is not a loopback address, unless remote ones are allowed, and SERVER_UNREACHABLE for a name that nobody knows.
 */
export async function targetAddresses(
  url: ServerUrl,
  allowRemote: boolean,
  resolve: (host: string) => Promise<readonly string[]> = resolveHost,
): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await resolve(url.host);
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    const message = `${url.origin}: the name ${url.host} cannot be resolved (${code})`;
    throw new AssayError(Reason.SERVER_UNREACHABLE, message, { cause });
  }
  const remote = remoteAddresses(addresses);
  if (allowRemote || remote.length === 0) return addresses;
  const what = remote.includes(url.host) ? "is" : `leads to ${quotedList(remote)}, which is`;
  throw new AssayError(
    Reason.CONFIG_INVALID,
    `--server: ${url.host} ${what} not a loopback address (127.0.0.0/8, ::1), so the load would leave this machine; ` +
      "where those whom the server belongs to agree, add --allow-remote",
  );
}

async function resolveHost(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
