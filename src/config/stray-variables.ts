import { nearestName } from "../wording/nearest-name.ts";
import { SASL_PASSWORD_VARIABLE } from "./broker-security.ts";
import { KEY_VARIABLE } from "./client-key.ts";
import { BENCH_FLAGS, CONSUME_FLAGS, FLAGS, SCORE_FLAGS } from "./flag-table.ts";

/** A variable of the environment that looks like a setting and is none. */
export interface StrayVariable {
  readonly name: string;
  /** The setting that was most likely meant; unset where none is close. */
  readonly nearest?: string;
  /** A sentence for whoever set it. */
  readonly message: string;
}

const LINK_NAME = /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;

/**
 * Tells whether Kubernetes or Docker set a variable: a Service named `assay` or `assay-x` gives every pod beside it ASSAY_PORT,
 * ASSAY_SERVICE_HOST, ASSAY_X_PORT_80_TCP_ADDR and so on (`enableServiceLinks`, which is on by default).
 */
export function isServiceLink(name: string, value: string): boolean {
  return LINK_NAME.test(name) || (name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value));
}

/**
 * The variables named ASSAY_… that set nothing: those that are close to a setting's, the others, and a setting's own that holds a
 * service link. Names that only a service link can have are left alone without a word.
 */
export function strayVariables(environment: Readonly<Record<string, string | undefined>>): StrayVariable[] {
  const known = new Set(
    [...FLAGS, ...SCORE_FLAGS, ...BENCH_FLAGS, ...CONSUME_FLAGS]
      .map((row) => row.variable)
      .concat("ASSAY_CONFIG", KEY_VARIABLE, SASL_PASSWORD_VARIABLE),
  );
  const stray: StrayVariable[] = [];
  for (const [name, value = ""] of Object.entries(environment).sort()) {
    if (!/^assay_/i.test(name)) continue;
    if (isServiceLink(name, value)) {
      if (!known.has(name)) continue;
      const message = `${name} is left alone: ${JSON.stringify(value)} is what Kubernetes sets for a Service of that name; set the port by --port or the file`;
      stray.push({ name, message });
    } else if (!known.has(name)) {
      // The start that all share would make any short name look close to any other.
      const meant = nearestName(
        name.slice(6),
        [...known].map((one) => one.slice(6)),
      );
      const nearest = meant === undefined ? {} : { nearest: `ASSAY_${meant}` };
      const hint = meant === undefined ? "" : `; did you mean ASSAY_${meant}?`;
      stray.push({ name, ...nearest, message: `${name} is no setting and is left alone${hint}` });
    }
  }
  return stray;
}
