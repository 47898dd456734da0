/**
 * Reads the messages of a request before Connect's handler does. Comes in: the body as it arrives. Goes out: the decoded messages, and
 * a body of empty ones for the handler, whose own decoders know no bounds but the octets of a message.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { Deframer, type FrameStore } from "../../wire/deframer.ts";
import { COMPRESSED_FLAG, framed } from "../../wire/grpc-frame.ts";
import type { MessageCompression } from "../call/compression.ts";
import type { MessageDecoder, MessageForm } from "../decode/message-decoder.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import { messageTooLarge } from "../memory/message-limit.ts";
import type { DecodedMessages } from "./decoded-messages.ts";

/** What the messages of one request are read with. */
export interface MessageReading {
  readonly form: MessageForm;
  /** What the request says that its messages are compressed with; undefined where it says nothing, or nothing that is known. */
  readonly compression: MessageCompression | undefined;
  /** The flag of frames that are no messages: the end of a Connect stream, the trailers of gRPC-Web; 0 where there are none. */
  readonly endFlag: number;
  readonly maxMessageBytes: number;
  readonly decoder: MessageDecoder;
  readonly memory: CallMemory;
  readonly messages: DecodedMessages;
  /** What the handler may send of what decoding throws. */
  asError(error: unknown): unknown;
}

const HOLLOW_JSON = new Uint8Array(Buffer.from("{}"));
const HOLLOW_BINARY = new Uint8Array(0);

/** The body of one whole message. Throws what `decode` and `decompress` of the decoder throw. */
export async function* hollowWhole(
  chunks: AsyncIterable<Uint8Array>,
  reading: MessageReading,
): AsyncGenerator<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  yield await hollowMessage(parts.length === 1 ? parts[0]! : Buffer.concat(parts), reading);
}

/** One message that is there; returns what stands in its place. */
export async function hollowMessage(bytes: Uint8Array, reading: MessageReading): Promise<Uint8Array> {
  const { form, compression, decoder, memory, messages } = reading;
  try {
    const plain = compression === undefined ? bytes : await decoder.decompress(compression, bytes, memory);
    const decoded = decoder.decode(form, plain, memory);
    messages.add(decoded instanceof Promise ? await decoded : decoded);
  } catch (error) {
    throw reading.asError(error);
  }
  return form.isJson ? HOLLOW_JSON : HOLLOW_BINARY;
}

/** The body of messages in frames: gRPC, gRPC-Web, Connect's streams. What is no message, or wrong as a frame, is left to the handler. */
export async function* hollowFrames(
  chunks: AsyncIterable<Uint8Array>,
  reading: MessageReading,
): AsyncGenerator<Uint8Array> {
  const { compression } = reading;
  const deframer = new Deframer(new KeptPieces(), reading.maxMessageBytes, messageTooLarge);
  for await (const chunk of chunks) {
    deframer.push(chunk);
    for (let bytes = deframer.next(); bytes !== undefined; bytes = deframer.next()) {
      const { flags } = deframer;
      const isCompressed = (flags & COMPRESSED_FLAG) !== 0;
      if ((flags & reading.endFlag) !== 0 || (isCompressed && compression === undefined)) {
        yield framed(flags, HOLLOW_BINARY);
        reading.memory.give(bytes.length);
        continue;
      }
      const own = isCompressed ? reading : { ...reading, compression: undefined };
      yield framed(flags & ~COMPRESSED_FLAG, await hollowMessage(bytes, own));
    }
  }
  if (deframer.pendingBytes > 0) {
    throw new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
  }
}

/** A message as the pieces in which it came: memory is taken for what has come, not for what is announced. */
class KeptPieces implements FrameStore<Uint8Array> {
  private pieces: Uint8Array[] = [];

  begin(): void {
    this.pieces = [];
  }

  add(octets: Uint8Array): void {
    this.pieces.push(octets);
  }

  end(): Uint8Array {
    const { pieces } = this;
    this.pieces = [];
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }
}
