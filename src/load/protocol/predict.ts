import type { Failure } from "../failure.ts";
import { type CallAnswer, type CallForm, foreignAnswer, type MessageCheck, USER_AGENT } from "./call-form.ts";

/** `POST /predict`, as of a FastAPI service; the body names the model. */
export function predictForm(message: Uint8Array, check: MessageCheck): CallForm {
  return {
    path: "/predict",
    fields: [["content-type", "application/json"], USER_AGENT],
    body: message,
    failure(answer) {
      if (answer.status !== 200) return errorFailure(answer) ?? foreignAnswer(answer, "POST /predict");
      const isJson = answer.field("content-type")?.startsWith("application/json") === true;
      return isJson ? check(answer.body) : foreignAnswer(answer, "POST /predict");
    },
  };
}

interface PredictError {
  readonly detail?: string | readonly { readonly loc?: readonly unknown[]; readonly msg?: unknown }[];
  readonly reason?: unknown;
}

/** An error in FastAPI's form: a sentence with its reason, or a list of what is wrong with the request. */
function errorFailure({ status, body }: CallAnswer): Failure | undefined {
  try {
    const { detail, reason } = JSON.parse(body.toString()) as PredictError;
    const code = `HTTP ${status}`;
    if (typeof detail === "string")
      return { code, reason: typeof reason === "string" ? reason : "", message: detail };
    if (!Array.isArray(detail)) return undefined;
    const messages = detail.map(({ loc = [], msg }) => `${loc.join(".")}: ${msg}`);
    return { code, reason: "INVALID_REQUEST", message: messages.slice(0, 3).join("; ") };
  } catch {
    return undefined;
  }
}
