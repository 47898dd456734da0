import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { Violations } from "./violations.ts";

const validator = createValidator();

/** Makes the rules of a schema ready, which takes tens of milliseconds: at the start, not at the first request that breaks one. */
export function prepareRules(schema: DescMessage): void {
  validator.validate(schema, create(schema));
}

/**
 * Adds what `message` breaks of the protovalidate rules in its schema, each under the rule's id and its field path in
 * proto names. Counts and lengths only: NaN and range are checked in the loops that read the values.
 */
export function checkSchemaRules<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  violations: Violations,
): void {
  const result = validator.validate(schema, message);
  if (result.kind === "error") throw result.error;
  if (result.kind === "valid") return;
  for (const violation of result.violations) {
    violations.add(pathToString(violation.field), violation.message, violation.ruleId);
  }
}
