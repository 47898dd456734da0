import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

/** Where a URL comes from: its text, or the environment variable that has it. */
export interface UrlPlace {
  readonly url: string;
  readonly urlEnv: string;
}

/**
 * The URL of a store with the environment's variables in the place of `${NAME}`, percent-encoded. Throws CONFIG_INVALID where one is not
 * set, or what comes is no URL; never with what stands in it. `owner` opens the message.
 */
export function storeUrl(
  { url, urlEnv }: UrlPlace,
  environment: Readonly<Record<string, string | undefined>>,
  owner: string,
): string {
  const told = (what: string) => new AssayError(Reason.CONFIG_INVALID, `${owner}: ${what}`);
  const variable = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === "")
      throw told(`the environment variable ${name}, which the URL of the store is made of, is not set`);
    return value;
  };
  const expanded = url.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string, at: number) => {
    const value = variable(name);
    // The whole of it, or its beginning, is a URL itself; anything behind is a part.
    return at === 0 || whole === url ? value : encodeURIComponent(value);
  });
  const made = urlEnv === "" ? expanded : variable(urlEnv);
  if (!/^(rediss?|valkeys?):\/\//.test(made) || !URL.canParse(made))
    throw told("the URL of the store is none: redis://HOST:PORT/DATABASE is expected, or rediss:// for TLS");
  return made;
}

/** A store's URL for people: without user and password. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return "redis";
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** The URL as the client of Redis knows it. */
export function redisUrl(url: string): string {
  return url.replace(/^valkey(s?):/, "redis$1:");
}
