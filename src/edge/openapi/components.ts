/** What the operations of a document share, and how one of them is written. */

import { type AskedIdentity, security, securitySchemes } from "../identity/asked-identity.ts";
import { type ErrorCauses, type ErrorForm, ErrorResponses } from "./error-responses.ts";
import { CONNECT_JSON, MessageSchemas, PLAIN_JSON, PREDICT_JSON } from "./message-schemas.ts";
import type { Schema } from "./schema-parts.ts";

/** One operation, before it is written. */
export interface OperationParts {
  /** Unique in the document. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Schema[];
  /** The content of its body; undefined: it has none. */
  readonly body?: Schema;
  /** What it is answered with, by status. */
  readonly answers: Schema;
  /** How it fails; undefined: in no form of its own. */
  readonly errors: readonly [form: ErrorForm, causes: ErrorCauses];
  /** It is answered without a key or token too; default false. */
  readonly isOpen?: boolean;
}

/** The schemas, responses and parameters of one document, and what its operations ask of callers. */
export class Components {
  private readonly identity: AskedIdentity;
  readonly schemas: Schema = {};
  readonly responses: Schema = {};
  readonly connect = new MessageSchemas(this.schemas, CONNECT_JSON);
  readonly predict = new MessageSchemas(this.schemas, PREDICT_JSON);
  readonly plain = new MessageSchemas(this.schemas, PLAIN_JSON);
  private readonly errors = new ErrorResponses(this.schemas, this.responses);
  private readonly names = new Map<string, string>();

  constructor(identity: AskedIdentity) {
    this.identity = identity;
  }

  /** A name for what is told of a model: its own where that can be a component's. */
  modelName(key: string, modelName: string): string {
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const plain = modelName.replaceAll(/[^\w.-]/g, "_");
    const taken = new Set(this.names.values());
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}-${count}`;
    this.names.set(key, name);
    return name;
  }

  /** Writes an operation. */
  operation({
    id,
    tag,
    summary,
    description,
    parameters,
    body,
    answers,
    errors,
    isOpen,
  }: OperationParts): Schema {
    const [form, causes] = errors;
    return {
      operationId: id,
      tags: [tag],
      summary,
      description: description ?? summary,
      ...(isOpen === true && this.asksCallers ? { security: security(this.identity, true) } : {}),
      ...(parameters === undefined || parameters.length === 0 ? {} : { parameters: [...parameters] }),
      ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
      responses: { ...this.errors.of(form, causes), ...answers },
    };
  }

  /** How an error looks to whoever calls in a form. */
  errorSchema(form: ErrorForm): Schema {
    return this.errors.schema(form);
  }

  /** What calls bring, unless their operation says otherwise. */
  get security(): Schema[] {
    return security(this.identity, false);
  }

  /** Whether `/metrics` wants a key. */
  get hasOpenMetrics(): boolean {
    return this.identity.openMetrics;
  }

  /** All of it, for the document. */
  written(): Schema {
    const schemes = securitySchemes(this.identity);
    const security = schemes === undefined ? {} : { securitySchemes: schemes };
    return { schemas: this.schemas, responses: this.responses, ...security };
  }

  private get asksCallers(): boolean {
    return this.identity.keys || this.identity.tokens;
  }
}
