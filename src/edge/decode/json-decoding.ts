/** The octets of one JSON message to the message, step by step, so that whoever decodes gives the event loop back in between. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { JsonFaults } from "../json/json-faults.ts";
import { type Aliases, JsonReader, type RowForms } from "../json/json-message.ts";
import { type ExactJson, JsonText } from "../json/json-text.ts";
import { memoryPerMessage, tooLargeDecoded } from "../memory/message-limit.ts";

/** Options of reading JSON messages. */
export interface JsonOptions {
  readonly maxMessageBytes: number;
  readonly ignoreUnknownFields: boolean;
  /** Other forms of fields; none in protobuf's JSON. */
  readonly aliases?: Aliases;
  /** Other forms of a request's rows; none in protobuf's JSON. */
  readonly rowForms?: RowForms;
}

/** One message on its way; made anew for each. */
export class JsonDecoding {
  private readonly desc: DescMessage;
  private readonly options: JsonOptions;
  private readonly textBytes: number;
  private readonly text: JsonText;
  private readonly maxHeapBytes: number;
  private reader: JsonReader | undefined = undefined;
  private decoded: Message | undefined = undefined;

  /** Throws INVALID_REQUEST where the octets are no UTF-8. */
  constructor(desc: DescMessage, bytes: Uint8Array, options: JsonOptions) {
    const { maxMessageBytes } = options;
    this.desc = desc;
    this.options = options;
    this.textBytes = bytes.length;
    this.maxHeapBytes = memoryPerMessage(maxMessageBytes);
    this.text = new JsonText(decodeText(bytes), { maxMessageBytes, maxHeapBytes: this.maxHeapBytes });
  }

  /** Goes on; true once the message is there. Throws what is wrong with it. */
  step(): boolean {
    if (this.decoded === undefined) {
      if (!this.text.run()) return false;
      this.decoded = this.readMessage(this.text.value);
    }
    if (this.heapBytes > this.maxHeapBytes) {
      throw tooLargeDecoded(this.options.maxMessageBytes, this.heapBytes);
    }
    if (!this.reader!.finish()) return false;
    this.reader!.faults.throwIfAny();
    return true;
  }

  /** Whether the text was read to its end. */
  get isRead(): boolean {
    return this.reader !== undefined;
  }

  get message(): Message {
    return this.decoded!;
  }

  /** The parsed value: for what the schema does not say. */
  get json(): ExactJson {
    return this.text.value;
  }

  /** About what the message and the text that it may be cut from take. */
  get heapBytes(): number {
    return this.textBytes + this.text.heapBytes + (this.reader?.heapBytes ?? 0);
  }

  private readMessage(json: ExactJson): Message {
    const { ignoreUnknownFields, aliases, rowForms } = this.options;
    const { hasBigints } = this.text;
    const faults = new JsonFaults();
    this.reader = new JsonReader({
      faults,
      ignoreUnknownFields,
      hasBigints,
      ...(aliases && { aliases }),
      ...(rowForms && { rowForms }),
    });
    return this.reader.message(this.desc, json, "");
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text of UTF-8 octets, which are to be read as `form`; throws INVALID_REQUEST where they are none. */
export function decodeText(bytes: Uint8Array, form: "JSON" | "CSV" = "JSON"): string {
  try {
    return utf8.decode(bytes);
  } catch {
    const utf16 = isUtf16(bytes) ? `, it looks like UTF-16: ${form} is sent as UTF-8` : "";
    const description = `${form} decode error: the text is not valid UTF-8${utf16}`;
    throw new AssayError(Reason.INVALID_REQUEST, `body: ${description}`, {
      violations: [{ field: "", description, rule: `${form.toLowerCase()}.syntax` }],
    });
  }
}

/** Whether octets begin with UTF-16's mark, either octet first. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}
