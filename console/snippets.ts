/** A call as people paste it into a terminal or a program. Pure. */
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { type PredictRequest, PredictRequestSchema } from "../gen/assay/v1/scoring_service_pb.ts";

/** Where a call goes: the server's origin, and whether it has to bring a key. */
export interface Place {
  readonly origin: string;
  readonly hasKey: boolean;
}

/** A call in the words of one tool or language. */
export interface Snippet {
  readonly name: "curl" | "grpcurl" | "Python" | "TypeScript";
  readonly text: string;
}

/** The same call four times. */
export function snippetsOf(request: PredictRequest, place: Place): Snippet[] {
  return [
    { name: "curl", text: curl(request, place) },
    { name: "grpcurl", text: grpcurl(request, place) },
    { name: "Python", text: python(request, place) },
    { name: "TypeScript", text: typescript(request, place) },
  ];
}

const PROCEDURE = "assay.v1.ScoringService/Predict";

/** A request as JSON, in proto names. */
function jsonOf(request: PredictRequest): JsonObject {
  return toJson(PredictRequestSchema, request, { useProtoFieldName: true }) as JsonObject;
}

function curl(request: PredictRequest, { origin, hasKey }: Place): string {
  const { model_name, ...body } = jsonOf(request);
  const lines = [
    `curl ${quoted(`${origin}/predict/${encodeURIComponent(request.modelName)}`)}`,
    "-H 'content-type: application/json'",
    ...(hasKey ? ['-H "authorization: Bearer $ASSAY_KEY"'] : []),
    `-d ${quoted(JSON.stringify(body))}`,
  ];
  return lines.join(" \\\n  ");
}

function grpcurl(request: PredictRequest, { origin, hasKey }: Place): string {
  const { protocol, hostname, port } = new URL(origin);
  const isPlain = protocol === "http:";
  const lines = [
    `grpcurl${isPlain ? " -plaintext" : ""}`,
    ...(hasKey ? ['-H "authorization: Bearer $ASSAY_KEY"'] : []),
    `-d ${quoted(JSON.stringify(jsonOf(request)))}`,
    `${hostname}:${port || (isPlain ? "80" : "443")} ${PROCEDURE}`,
  ];
  return lines.join(" \\\n  ");
}

function python(request: PredictRequest, { origin, hasKey }: Place): string {
  return `import json${hasKey ? ", os" : ""}
from urllib.request import Request, urlopen

request = ${pythonValue(jsonOf(request))}
call = Request(
    ${JSON.stringify(`${origin}/${PROCEDURE}`)},
    data=json.dumps(request).encode(),
    headers={"content-type": "application/json"${hasKey ? ', "authorization": f"Bearer {os.environ[\'ASSAY_KEY\']}"' : ""}},
)
with urlopen(call, timeout=10) as answer:
    print(json.load(answer))
`;
}

function typescript(request: PredictRequest, { origin, hasKey }: Place): string {
  const authorization = hasKey ? ', authorization: "Bearer " + process.env.ASSAY_KEY' : "";
  return `const response = await fetch(${JSON.stringify(`${origin}/${PROCEDURE}`)}, {
  method: "POST",
  headers: { "content-type": "application/json"${authorization} },
  body: JSON.stringify(${JSON.stringify(jsonOf(request))}),
  signal: AbortSignal.timeout(10_000),
});
const answer = await response.json();
if (!response.ok) throw new Error(answer.message);
console.log(answer);
`;
}

/** In single quotes for a shell, which read nothing but their end. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** JSON as Python writes it. */
function pythonValue(value: unknown): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(", ")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value as object).map(
      ([name, member]) => `${pythonText(name)}: ${pythonValue(member)}`,
    );
    return `{${members.join(", ")}}`;
  }
  return typeof value === "string" ? pythonText(value) : String(value);
}

/** A JSON text is a Python text, but for the halves of a pair that JSON may leave as they are. */
function pythonText(text: string): string {
  return JSON.stringify(text);
}
