import type { AttributeValue } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { OctetWriter, type WrittenValue } from "./octet-writer.ts";
import { SCOPE } from "./sent-span.ts";

/** Tags of ExportTraceServiceRequest and of what it holds. Source: opentelemetry/proto/collector/trace/v1/trace_service.proto. */
const RESOURCE_SPANS = 0x0a;
const RESOURCE = 0x0a;
const RESOURCE_ATTRIBUTES = 0x0a;
const RESOURCE_DROPPED_ATTRIBUTES = 0x10;
const SCOPE_SPANS = 0x12;
const SCHEMA_URL = 0x1a;
const SCOPE_FIELD = 0x0a;
const SCOPE_NAME = 0x0a;
const SCOPE_VERSION = 0x12;
const KEY = 0x0a;
const VALUE = 0x12;
const ARRAY = 0x2a;
const ELEMENTS = 0x0a;
const FEW_BYTES = 1_024;

/** What stands around the spans of every request: who sends them, written once. */
export class RequestFrame {
  private readonly resource: Buffer;
  private readonly scope: Buffer;
  private readonly end: Buffer;

  constructor({ attributes, schemaUrl }: Resource) {
    this.resource = writtenBy((writer) => {
      const from = writer.open(RESOURCE);
      for (const [key, value] of Object.entries(attributes)) writeOpenAttribute(writer, key, value);
      writer.varint(RESOURCE_DROPPED_ATTRIBUTES, 0);
      writer.close(from);
    });
    this.scope = writtenBy((writer) => {
      const from = writer.open(SCOPE_FIELD);
      writer.text(SCOPE_NAME, SCOPE.name);
      writer.text(SCOPE_VERSION, SCOPE.version);
      writer.close(from);
    });
    this.end = writtenBy((writer) => {
      if (schemaUrl !== undefined && schemaUrl !== "") writer.text(SCHEMA_URL, schemaUrl);
    });
  }

  /** A whole request, which has octets of its own. */
  around(spans: Uint8Array): Buffer {
    const { resource, scope, end } = this;
    const inner = writtenBy((writer) => writer.varint(SCOPE_SPANS, scope.length + spans.length));
    const byteCount = resource.length + inner.length + scope.length + spans.length + end.length;
    const outer = writtenBy((writer) => writer.varint(RESOURCE_SPANS, byteCount));
    return Buffer.concat([outer, resource, inner, scope, spans, end]);
  }
}

/** A KeyValue of a resource: detectors may give lists, and values that they do not know. */
function writeOpenAttribute(writer: OctetWriter, key: string, value: AttributeValue | undefined): void {
  const from = writer.open(RESOURCE_ATTRIBUTES);
  writer.text(KEY, key);
  const valueFrom = writer.open(VALUE);
  if (Array.isArray(value)) {
    const list = writer.open(ARRAY);
    for (const element of value as readonly (WrittenValue | null | undefined)[]) {
      const elementFrom = writer.open(ELEMENTS);
      if (element !== null && element !== undefined) writer.value(element);
      writer.close(elementFrom);
    }
    writer.close(list);
  } else if (value !== undefined) writer.value(value as WrittenValue);
  writer.close(valueFrom);
  writer.close(from);
}

function writtenBy(write: (writer: OctetWriter) => void): Buffer {
  const writer = new OctetWriter(FEW_BYTES);
  write(writer);
  return writer.written();
}
