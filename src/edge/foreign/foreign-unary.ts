/** Scoring in the forms of KServe v1, TensorFlow Serving and MLflow: bodies to requests of ours, answers to theirs, on the lean path and off it. */
import { headerBlock, type ServerStream } from "../../http2/stream.ts";
import type { Call } from "../../service/call.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { type AnswerEncoder, isLargeAnswer } from "../answer/answer-encoder.ts";
import { OctetParts } from "../answer/octet-parts.ts";
import { retryAfterMs } from "../call/error-details.ts";
import type { MessageDecoder } from "../decode/message-decoder.ts";
import { type ExampleForm, exampleOf } from "../json/example-line.ts";
import { type PlainRoute, respondPlain } from "../plain/plain-http.ts";
import type { PathParams } from "../route-table.ts";
import { answerHead } from "../unary/answer-head.ts";
import type { MessageCodec, UnaryForm } from "../unary/unary-form.ts";
import { ForeignBody, type ForeignRequest, type JsonBody, type TextBody } from "./foreign-decoding.ts";
import { type ErrorBody, foreignError, inTermsOfBody } from "./foreign-error.ts";
import { type ForeignAnswer, rowValues, writePredictions } from "./predictions.ts";

/** One form of bodies. */
export interface ForeignForm {
  /** For logs and metrics, and for examples of what a model takes. */
  readonly name: Extract<ExampleForm, "v1" | "mlflow">;
  /** What reads a body that is JSON, or text of another kind. */
  readonly body: { readonly json?: JsonBody; readonly text?: TextBody };
  /** Whether a body with this content type is in the form. */
  takes(contentType: string): boolean;
  /** The member of an answer that has the predictions. */
  memberOf(request: ForeignRequest): string;
  readonly errorBody: ErrorBody;
}

/** What calls are served with. */
export interface ForeignContext {
  readonly scoring: ScoringService;
  readonly decoder: MessageDecoder;
  readonly encoder: AnswerEncoder;
}

type ForeignCodec = MessageCodec<ForeignRequest, ForeignAnswer>;

const HEAD = headerBlock([["content-type", "application/json"]]);
/** Longer lists are written in slices. */
const SHORT_ANSWER = 4096;

/** A form on the lean path. */
export function foreignUnary(form: ForeignForm, context: ForeignContext): UnaryForm {
  const { scoring } = context;
  const unary: UnaryForm<ForeignRequest, ForeignAnswer> = {
    protocol: {
      name: form.name,
      isFramed: false,
      prefixBytes: 0,
      fields: undefined,
      accepts: ({ headers }: ServerStream) =>
        (headers.get("content-encoding") ?? "identity") === "identity" &&
        form.takes(headers.get("content-type") ?? ""),
      respond(call, bytes) {
        call.stream.respond(200, answerHead(call, HEAD, [["content-length", String(bytes.length)]]));
        call.stream.write(bytes, true);
      },
      fail({ stream, edgeCall, corsOrigins, params }, thrown) {
        const error = edgeCall.asAssayError(thrown);
        const example = () => exampleFor(form, params, edgeCall.call, scoring);
        const response = foreignError(error, form.errorBody, example);
        respondPlain(stream, response, edgeCall, corsOrigins, retryAfterMs(error));
      },
    },
    codec: foreignCodec(form, context),
    run: (request, call) => score(request, call, scoring),
  };
  // The codec belongs to the call that it decodes for, which no type can say of a list of forms.
  return unary as unknown as UnaryForm;
}

/** The same for bodies that are compressed: whatever the lean path leaves. `forms` are asked in turn, the last takes all. */
export function foreignRoute(
  pattern: string,
  forms: readonly ForeignForm[],
  context: ForeignContext,
): PlainRoute {
  const codecs = forms.map((form) => ({ form, codec: foreignCodec(form, context) }));
  const last = forms.at(-1)!;
  return {
    pattern,
    methods: ["POST"],
    async handle({ params, headers, bytes, call, memory }) {
      const type = headers.get("content-type") ?? "";
      const { codec } = codecs.find(({ form }) => form.takes(type)) ?? codecs.at(-1)!;
      const request = await codec.decode(bytes, memory, params, call);
      const answer = await score(request, call, context.scoring);
      return { status: 200, body: await codec.encode(answer, 0, memory) };
    },
    errorResponse: (error, { params }, call) =>
      foreignError(error, last.errorBody, () => exampleFor(last, params, call, context.scoring)),
  };
}

function exampleFor(
  form: ForeignForm,
  { model = "", version = "" }: PathParams,
  { caller }: Call,
  scoring: ScoringService,
): string | undefined {
  return exampleOf(scoring, model, version, caller, form.name);
}

function score(request: ForeignRequest, call: Call, scoring: ScoringService): Promise<ForeignAnswer> {
  return scoring.predict(request.request, call).then(
    (response) => ({ request, response }),
    (error: unknown) => {
      throw inTermsOfBody(error, request);
    },
  );
}

function foreignCodec(form: ForeignForm, { scoring, decoder, encoder }: ForeignContext): ForeignCodec {
  return {
    decode(bytes, memory, { model = "", version = "" }, { caller }) {
      const body = new ForeignBody(scoring.resolve(model, version, caller), form.body);
      const decoded = decoder.decode(body, bytes, memory);
      return decoded instanceof Promise ? decoded.then(() => body.request) : body.request;
    },
    encode(answer, _room, memory) {
      const member = form.memberOf(answer.request);
      const values = rowValues(answer);
      if (values !== undefined && values.length <= SHORT_ANSWER) {
        return Buffer.from(`{${JSON.stringify(member)}:${JSON.stringify(values)}}`);
      }
      const parts = new OctetParts();
      const steps = writePredictions(answer, member, parts);
      if (values !== undefined || isLargeAnswer(answer.response)) return encoder.write(steps, parts, memory);
      while (steps.next().done !== true);
      return parts.octets();
    },
  };
}
