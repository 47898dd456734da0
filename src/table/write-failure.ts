import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

/** By errno's name, and by what DuckDB's messages say of it. */
const CAUSES: readonly (readonly [code: string, said: RegExp, text: string])[] = [
  // DuckDB keeps what does not fit in memory to 90 % of the disk that is left, and then speaks of its own setting.
  ["ENOSPC", /no space left|failed to offload|max_temp_directory_size/i, "no space is left on the device"],
  ["EDQUOT", /quota exceeded/i, "the disk quota is used up"],
  ["EFBIG", /file too large/i, "the file would be larger than is allowed here"],
  ["EROFS", /read-only file system/i, "the file system is read-only"],
  ["EACCES", /permission denied/i, "permission is denied"],
  ["EPERM", /operation not permitted/i, "permission is denied"],
  ["ENOENT", /no such file or directory/i, "the folder does not exist"],
  ["ENOTDIR", /not a directory/i, "a folder of the path is a file"],
  ["ENAMETOOLONG", /file name too long/i, "the name is too long"],
  ["EISDIR", /is a directory/i, "it is a folder"],
  ["ELOOP", /too many (levels of )?symbolic links/i, "its links lead in a circle"],
  ["EMFILE", /too many open files/i, "this process may open no more files (ulimit -n)"],
  ["ENFILE", /too many open files in system/i, "this machine has no more open files to give"],
  ["EIO", /input\/output error/i, "the device failed (an input/output error)"],
  ["EBUSY", /resource busy/i, "another program uses it"],
  ["ESTALE", /stale file handle/i, "the network file system has lost it (a stale handle)"],
];

/** DuckDB's errors begin with their kind: `IO Error: …`. */
const DUCKDB_ERROR = /^[A-Z][A-Za-z -]* Error: /;

/** Says what an error of the file system or of DuckDB means, in words; undefined for any other. */
export function systemCause(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, code } = error as NodeJS.ErrnoException;
  const known = CAUSES.find((cause) => cause[0] === code || (code === undefined && cause[1].test(message)));
  return known?.[2];
}

/**
 * Why a file could not be written, as a TABLE_INVALID that names it, for errors of the file system and of DuckDB; any
 * other error stays as it is.
 */
export function writeFailure(path: string, error: unknown, advice = ""): unknown {
  if (!(error instanceof Error) || error instanceof AssayError) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === undefined && !DUCKDB_ERROR.test(message)) return error;
  const why = systemCause(error) ?? message.split("\n")[0];
  return new AssayError(Reason.TABLE_INVALID, `cannot write ${path}: ${why}${advice}`, { cause: error });
}

/**
 * An error of the file system that nothing nearer has named, as a TABLE_INVALID: a disk, a folder or a limit of the machine,
 * which no stack trace explains. Any other error stays as it is.
 */
export function systemFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AssayError) return error;
  const { syscall, path, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const where = path === undefined ? syscall : `${syscall} ${path}`;
  return new AssayError(Reason.TABLE_INVALID, `${where}: ${systemCause(error) ?? message}`, { cause: error });
}
