/** A model as `--model` names it. */
export interface WantedModel {
  readonly name: string;
  /** A number or a label; undefined: the version that answers requests that name none. */
  readonly version: string | undefined;
}

/** Reads `NAME`, `NAME:VERSION`, `NAME:LABEL` or the path of a file, whose name may have colons. */
export function wantedModel(text: string): WantedModel {
  const [, name, version] = /^(.*?)(?::(\d+|[A-Za-z][A-Za-z0-9._-]{0,19}))?$/s.exec(text)!;
  return text.endsWith(".onnx") ? { name: text, version: undefined } : { name: name!, version };
}
