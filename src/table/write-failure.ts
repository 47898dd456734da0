import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

/** By errno's name, and by what DuckDB's messages say of it. */
const CAUSES: readonly (readonly [code: string, said: RegExp, text: string])[] = [
  ["ENOSPC", /no space left/i, "no space is left on the device"],
  ["EDQUOT", /quota exceeded/i, "the disk quota is used up"],
  ["EFBIG", /file too large/i, "the file would be larger than is allowed here"],
  ["EROFS", /read-only file system/i, "the file system is read-only"],
  ["EACCES", /permission denied/i, "permission is denied"],
  ["EPERM", /operation not permitted/i, "permission is denied"],
  ["ENOENT", /no such file or directory/i, "the folder does not exist"],
  ["ENOTDIR", /not a directory/i, "a folder of the path is a file"],
  ["ENAMETOOLONG", /file name too long/i, "the name is too long"],
];

/** DuckDB's errors begin with their kind: `IO Error: …`. */
const DUCKDB_ERROR = /^[A-Z][A-Za-z -]* Error: /;

/**
 * Why a file could not be written, as a TABLE_INVALID that names it, for errors of the file system and of DuckDB; any
 * other error stays as it is.
 */
export function writeFailure(path: string, error: unknown, advice = ""): unknown {
  if (!(error instanceof Error) || error instanceof AssayError) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === undefined && !DUCKDB_ERROR.test(message)) return error;
  const known = CAUSES.find((cause) => cause[0] === code || (code === undefined && cause[1].test(message)));
  const why = known?.[2] ?? message.split("\n")[0];
  return new AssayError(Reason.TABLE_INVALID, `cannot write ${path}: ${why}${advice}`, { cause: error });
}
