import { promisify } from "node:util";
import {
  brotliCompress,
  brotliDecompress,
  constants,
  deflate,
  gunzip,
  gzip,
  inflate,
  inflateRaw,
} from "node:zlib";
import { ConnectError } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf } from "../../errors.ts";
import { messageTooLarge } from "../memory/message-limit.ts";
import { errorRow } from "./error-table.ts";

/** One way to compress messages, in the form that Connect's handlers take. */
export interface MessageCompression {
  readonly name: string;
  compress(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  /** Throws RESOURCE_EXHAUSTED beyond the limit, INVALID_ARGUMENT for bytes that are not of this form. */
  decompress(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

const GZIP_LEVEL = 4;
/** Brotli's default of 11 takes a hundred times as long for a few percent. */
const BROTLI_QUALITY = 4;

const gzipBytes = promisify(gzip) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const gunzipBytes = promisify(gunzip) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const brotliBytes = promisify(brotliCompress) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const unbrotliBytes = promisify(brotliDecompress) as (bytes: Uint8Array, options: object) => Promise<Buffer>;

const deflateBytes = promisify(deflate) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const inflateBytes = promisify(inflate) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const inflateRawBytes = promisify(inflateRaw) as (bytes: Uint8Array, options: object) => Promise<Buffer>;

/** gzip and brotli, both with messages of at most `maxMessageBytes` after decompression. */
export function messageCompressions(maxMessageBytes: number): MessageCompression[] {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } };
  return [
    compression("gzip", maxMessageBytes, (bytes) => gzipBytes(bytes, { level: GZIP_LEVEL }), gunzipBytes),
    compression("br", maxMessageBytes, (bytes) => brotliBytes(bytes, quality), unbrotliBytes),
  ];
}

/** The same with deflate, for bodies of plain HTTP. */
export function bodyCompressions(maxMessageBytes: number): MessageCompression[] {
  const [zip, brotli] = messageCompressions(maxMessageBytes);
  const compress = (bytes: Uint8Array) => deflateBytes(bytes, { level: GZIP_LEVEL });
  return [zip!, compression("deflate", maxMessageBytes, compress, inflated), brotli!];
}

/** HTTP means zlib's form (RFC 9110, 8.4.1.2); some clients send what is in it without its head. */
function inflated(bytes: Uint8Array, options: object): Promise<Buffer> {
  const [first = 0, second = 0] = bytes;
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return isZlib ? inflateBytes(bytes, options) : inflateRawBytes(bytes, options);
}

/** gzip and brotli for Connect's handlers, which know ConnectErrors only. */
export function connectCompressions(maxMessageBytes: number): MessageCompression[] {
  return messageCompressions(maxMessageBytes).map(({ name, compress, decompress }) => ({
    name,
    compress,
    decompress: (bytes) =>
      decompress(bytes).catch((error: AssayError) => {
        throw new ConnectError(error.message, errorRow(error.reason).code);
      }),
  }));
}

function compression(
  name: string,
  maxMessageBytes: number,
  compress: (bytes: Uint8Array) => Promise<Buffer>,
  decompress: (bytes: Uint8Array, options: object) => Promise<Buffer>,
): MessageCompression {
  return {
    name,
    compress: async (bytes) => owned(await compress(bytes)),
    async decompress(bytes) {
      if (bytes.byteLength === 0) return new Uint8Array(0);
      try {
        return owned(await decompress(bytes, { maxOutputLength: maxMessageBytes }));
      } catch (error) {
        throw decompressionError(error, name, maxMessageBytes);
      }
    },
  };
}

function decompressionError(error: unknown, name: string, maxMessageBytes: number): AssayError {
  if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
    return messageTooLarge(maxMessageBytes);
  const what = messageOf(error);
  return new AssayError(
    Reason.INVALID_REQUEST,
    `the message is not valid ${name}, which its encoding says it is: ${what}`,
  );
}

function owned(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return buffer as Uint8Array<ArrayBuffer>;
}
