/** protovalidate's rules as keywords of JSON Schema: what a request breaks there, it breaks in the document too. */
import { type DescField, type DescMessage, getOption, hasOption, isFieldSet } from "@bufbuild/protobuf";
import {
  type FieldRules,
  field as fieldOption,
  Ignore,
  type Int64Rules,
  message as messageOption,
  type RepeatedRules,
  RepeatedRulesSchema,
  type StringRules,
  StringRulesSchema,
  type UInt32Rules,
} from "../../../gen/buf/validate/validate_pb.ts";
import type { Schema } from "./schema-parts.ts";

/** What the rules of a field say of its value, and of each item of a list. */
export interface FieldConstraints {
  readonly isRequired: boolean;
  readonly value: Schema;
  readonly items: Schema;
}

const NONE: FieldConstraints = { isRequired: false, value: {}, items: {} };

/** The constraints of a field. */
export function fieldConstraints(field: DescField): FieldConstraints {
  if (!hasOption(field, fieldOption)) return NONE;
  const rules = getOption(field, fieldOption);
  if (rules.ignore === Ignore.ALWAYS) return NONE;
  const { type } = rules;
  if (type.case !== "repeated") return { isRequired: rules.required, value: scalarRules(rules), items: {} };
  const { items } = type.value;
  return {
    isRequired: rules.required,
    value: listRules(type.value),
    items: items === undefined || items.ignore === Ignore.ALWAYS ? {} : scalarRules(items),
  };
}

function scalarRules({ type }: FieldRules): Schema {
  switch (type.case) {
    case "string":
      return textRules(type.value);
    case "int32":
    case "int64":
    case "uint32":
    case "uint64":
    case "float":
    case "double":
      return numberRules(type.value as Int64Rules | UInt32Rules);
    default:
      return {};
  }
}

function textRules(rules: StringRules): Schema {
  const { field } = StringRulesSchema;
  const schema: Schema = {};
  if (isFieldSet(rules, field.minLen)) schema.minLength = Number(rules.minLen);
  if (isFieldSet(rules, field.maxLen)) schema.maxLength = Number(rules.maxLen);
  if (isFieldSet(rules, field.pattern)) schema.pattern = rules.pattern;
  if (isFieldSet(rules, field.const)) schema.const = rules.const;
  if (rules.in.length > 0) schema.enum = [...rules.in];
  return schema;
}

const BOUNDS = { gte: "minimum", gt: "exclusiveMinimum", lte: "maximum", lt: "exclusiveMaximum" } as const;

function numberRules(rules: Int64Rules | UInt32Rules): Schema {
  const schema: Schema = {};
  for (const bound of [rules.greaterThan, rules.lessThan]) {
    if (bound.case !== undefined) schema[BOUNDS[bound.case]] = Number(bound.value);
  }
  return schema;
}

function listRules(rules: RepeatedRules): Schema {
  const { field } = RepeatedRulesSchema;
  const schema: Schema = {};
  if (isFieldSet(rules, field.minItems)) schema.minItems = Number(rules.minItems);
  if (isFieldSet(rules, field.maxItems)) schema.maxItems = Number(rules.maxItems);
  if (rules.unique) schema.uniqueItems = true;
  return schema;
}

/** Rules in CEL that JSON Schema can say; a test holds that there is a row for each. */
const CEL_RULES: Readonly<Record<string, (nameOf: (name: string) => string) => Schema>> = {
  "predict_request.one_input_form": (nameOf) => ({
    oneOf: ["features", "inputs", "rows"].map((name) => ({
      required: [nameOf(name)],
      properties: { [nameOf(name)]: { minItems: 1 } },
    })),
  }),
};

/** What the rules of a whole message say; `nameOf` spells the name of a field. Throws where a rule has no row. */
export function messageConstraints(desc: DescMessage, nameOf: (name: string) => string): Schema {
  if (!hasOption(desc, messageOption)) return {};
  const rules = getOption(desc, messageOption).cel.map(({ id }) => {
    const rule = CEL_RULES[id];
    if (rule === undefined) throw new Error(`the rule ${id} of ${desc.typeName} has no form in JSON Schema`);
    return rule(nameOf);
  });
  return rules.length === 0 ? {} : Object.assign({}, ...rules);
}
