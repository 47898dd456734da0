import type { Headers } from "../../http2/stream.ts";

/** Header fields over Node's flat `[name, value, name, value, …]`; names are made lower-case, pseudo-headers left out. */
export function fieldList(rawHeaders: readonly string[]): Headers {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.startsWith(":")) continue;
    fields.push([name.toLowerCase(), rawHeaders[i + 1]!]);
  }
  return new FieldList(fields);
}

/** Header fields in a list: few enough to be looked through. */
export class FieldList implements Headers {
  private readonly fields: readonly [string, string][];

  /** Names are lower-case already. */
  constructor(fields: readonly [string, string][]) {
    this.fields = fields;
  }

  get(name: string): string | undefined {
    for (const field of this.fields) if (field[0] === name) return field[1];
    return undefined;
  }

  getAll(name: string): string[] {
    const values: string[] = [];
    for (const field of this.fields) if (field[0] === name) values.push(field[1]);
    return values;
  }

  entries(): readonly [string, string][] {
    return this.fields;
  }
}

/** The size of a header list as HTTP/2 counts it: names, values and 32 a field (RFC 9113, 6.5.2). */
export function headerListBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of headers.entries()) bytes += name.length + value.length + 32;
  return bytes;
}
