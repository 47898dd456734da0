import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf } from "../../errors.ts";
import { explainLoadFailure, explainRunFailure } from "../../model/ort-advice.ts";
import { type Device, deviceName } from "../device.ts";

/** The error of a session that could not be made: MODEL_INVALID, or DEVICE_UNAVAILABLE where the device is what failed. */
export function loadFailure(cause: unknown, device: Device): AssayError {
  const text = ortText(cause);
  if (device.provider === "cpu" || !isDeviceFailure(text)) {
    return new AssayError(Reason.MODEL_INVALID, `the model cannot be loaded: ${explainLoadFailure(text)}`, {
      cause,
    });
  }
  const what = `device ${deviceName(device)} cannot be used: ${text}`;
  return new AssayError(Reason.DEVICE_UNAVAILABLE, what, { cause });
}

/** The error of a run that ONNX Runtime failed: RUN_FAILED. */
export function runFailure(cause: unknown): AssayError {
  const what = `the model failed on these rows: ${explainRunFailure(ortText(cause))}`;
  return new AssayError(Reason.RUN_FAILED, what, { cause });
}

function ortText(cause: unknown): string {
  return cleanOrtMessage(messageOf(cause));
}

function isDeviceFailure(text: string): boolean {
  return /shared library|adapter|cuda|cudnn|cublas|gpu|vulkan|webgpu|backend not found|execution provider/i.test(
    text,
  );
}

const SOURCE_PLACE = /(?:[A-Za-z]:)?[\w.+\-/\\]*[\w+-]\.(?:cc|cpp|cu|cuh|h|hpp|mm):\d+ /g;
const STATUS_CODE = /\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /g;

/** The index behind a C++ function signature that starts at `from`; `from` where none starts there. */
function endOfSignature(text: string, from: number): number {
  let at = text.indexOf("(", from);
  if (at === -1 || at - from > 300 || /[.:;] /.test(text.slice(from, at))) return from;
  while (text[at] === "(") {
    let open = 0;
    do {
      if (text[at] === "(") open++;
      else if (text[at] === ")") open--;
      at++;
    } while (open > 0 && at < text.length);
  }
  const rest = /^(?: const)?(?: \[with [^\]]*\])?(?:::<lambda\([^)]*\)>)?(?: const)?/.exec(text.slice(at));
  return at + (rest?.[0].length ?? 0);
}

/** ONNX Runtime's message without C++ source places, signatures and status numbers, on one line. */
export function cleanOrtMessage(message: string): string {
  let clean = "";
  let done = 0;
  for (const match of message.matchAll(SOURCE_PLACE)) {
    if (match.index < done) continue;
    clean += message.slice(done, match.index);
    done = endOfSignature(message, match.index + match[0].length);
  }
  clean += message.slice(done);
  return clean.replace(STATUS_CODE, "").replace(/\s+/g, " ").trim();
}
