/**
 * The file of keys: a JSON object a line. Comes in: its text. Goes out: whom each line lets in, or every line that is wrong, by its number.
 * Promises: no value of a line stands in a message, since people put keys where their digests belong.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { didYouMean } from "../../wording/nearest-name.ts";

/** One line: whoever brings the key, or the certificate, and what they may. */
export interface KeyLine {
  /** For logs; two lines may have the same one, as while a key is changed for the next. */
  readonly id: string;
  /** Of the key, in lower-case hexadecimal digits; undefined where a certificate is named. */
  readonly sha256: string | undefined;
  /** The common name or a subject alternative name of a client's certificate. */
  readonly certificate: string | undefined;
  /** Names of models; `*` is all. */
  readonly models: readonly string[];
  readonly isAdmin: boolean;
  readonly readsMetrics: boolean;
  readonly requestsPerSecond: number | undefined;
  readonly rowsPerSecond: number | undefined;
}

/** A larger file is refused: all its callers are held in memory. */
export const MOST_KEY_FILE_BYTES = 8 * 1024 * 1024;
const MOST_LINES = 10_000;
const MOST_SHOWN = 20;
const MEMBERS = [
  "id",
  "sha256",
  "certificate",
  "models",
  "admin",
  "metrics",
  "requests_per_second",
  "rows_per_second",
];

/** Reads the lines of a file that is called `name`. Throws CONFIG_INVALID with all that is wrong. */
export function readKeyLines(text: string, name: string): KeyLine[] {
  const problems: string[] = [];
  const lines: KeyLine[] = [];
  const places = new Map<string, number>();
  for (const [at, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const place = `${name} line ${at + 1}`;
    const read = readLine(trimmed);
    if ("faults" in read) {
      problems.push(...read.faults.map((fault) => `${place}: ${fault}`));
      continue;
    }
    const mark = read.sha256 ?? `certificate ${read.certificate}`;
    const before = places.get(mark);
    if (before !== undefined)
      problems.push(`${place}: its ${read.sha256 === undefined ? "certificate" : "key"} has line ${before}`);
    places.set(mark, at + 1);
    lines.push(read);
  }
  if (lines.length > MOST_LINES) problems.push(`${name}: it has more than ${MOST_LINES} lines`);
  if (lines.length === 0 && problems.length === 0)
    problems.push(
      `${name}: it holds no key; a line is expected such as {"id": "team-a", "sha256": "<64 hexadecimal digits>", "models": ["*"]}`,
    );
  if (problems.length === 0) return lines;
  const more = problems.length - MOST_SHOWN;
  const shown = problems.slice(0, MOST_SHOWN).concat(more > 0 ? [`${name}: and ${more} more`] : []);
  throw new AssayError(Reason.CONFIG_INVALID, shown.join("\n"));
}

function readLine(text: string): KeyLine | { readonly faults: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // What V8 says quotes the line.
    return { faults: ["it is no JSON; a whole object on one line is expected"] };
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return { faults: ["a JSON object is expected"] };
  return readObject(json as Record<string, unknown>);
}

function readObject(line: Record<string, unknown>): KeyLine | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  for (const member of Object.keys(line))
    if (!MEMBERS.includes(member))
      faults.push(
        `no member is called ${JSON.stringify(member.slice(0, 40))}${didYouMean(member, MEMBERS) || `; there is ${MEMBERS.join(", ")}`}`,
      );
  const { id, sha256, certificate, models = [], admin = false, metrics = false } = line;
  const must = (isRight: boolean, what: string): void => {
    if (!isRight) faults.push(what);
  };
  must(
    isText(id, /^[\x21-\x7e]{1,64}$/),
    "id: 1 to 64 letters, digits and signs are expected, without spaces",
  );
  must(
    (sha256 === undefined) !== (certificate === undefined),
    "one of sha256, for a key, and certificate is expected",
  );
  if (sha256 !== undefined)
    must(
      isText(sha256, /^[0-9a-fA-F]{64}$/),
      'sha256: the digest of the key is expected, 64 hexadecimal digits, and not the key: printf %s "$KEY" | sha256sum',
    );
  if (certificate !== undefined)
    must(
      isText(certificate, /^[^\n]{1,256}$/),
      "certificate: the common name or a subject alternative name of the client's certificate is expected",
    );
  const isList = Array.isArray(models) && models.every((one) => isText(one, /^[^\0]{1,512}$/));
  must(isList, 'models: a list of names is expected, or ["*"] for all');
  must(typeof admin === "boolean", "admin: true or false is expected");
  must(typeof metrics === "boolean", "metrics: true or false is expected");
  const requestsPerSecond = rateOf(line, "requests_per_second", faults);
  const rowsPerSecond = rateOf(line, "rows_per_second", faults);
  if (isList && models.length === 0 && admin !== true && metrics !== true)
    faults.push('models: none came, and neither "metrics" nor "admin": it could do nothing');
  if (faults.length > 0) return { faults };
  return {
    id: id as string,
    sha256: (sha256 as string | undefined)?.toLowerCase(),
    certificate: certificate as string | undefined,
    models: models as string[],
    isAdmin: admin === true,
    readsMetrics: metrics === true || admin === true,
    requestsPerSecond,
    rowsPerSecond,
  };
}

function rateOf(
  line: Record<string, unknown>,
  member: "requests_per_second" | "rows_per_second",
  faults: string[],
): number | undefined {
  const rate = line[member];
  if (rate === undefined) return undefined;
  if (typeof rate === "number" && rate >= 0.001 && rate <= 1e9) return rate;
  faults.push(`${member}: a number from 0.001 to 1e9 is expected`);
  return undefined;
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value);
}
