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
