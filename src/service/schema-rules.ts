import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { Violations } from "./violations.ts";

const validator = createValidator();

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
