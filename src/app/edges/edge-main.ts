/** The entry of a further edge's thread: `workerData` is an EdgeStart. */
import { parentPort, workerData } from "node:worker_threads";
import { plainGlobals } from "../../plain-globals.ts";
import { createForwardedLog } from "../../telemetry/log.ts";
import { goOnAfterBugs } from "../go-on-after-bugs.ts";
import { Conversation } from "./conversation.ts";
import { type EdgeNews, type EdgeOrder, type EdgeStart, type Talk, toldFailure } from "./edge-messages.ts";
import { FurtherEdge } from "./further-edge.ts";
import { GatheredSpans } from "./gathered-spans.ts";

plainGlobals();

const start = workerData as EdgeStart;
const port = parentPort!;
const tell = (message: EdgeNews | Talk) => port.postMessage(message);
// Users count edges from 1, the first one.
const edgeNumber = start.sharedPort.place + 1;
const log = createForwardedLog(start.settings.logLevel, { edge: edgeNumber }, (line) =>
  tell({ kind: "log", line }),
);
goOnAfterBugs(log);
const spans = new GatheredSpans((gathered) => tell({ kind: "spans", spans: gathered }));
const edge = new FurtherEdge({ start, log, spans, ask: (question) => conversation.ask(question) });
const conversation = new Conversation(tell, edge.answer);
port.on("message", (message: EdgeOrder | Talk) => {
  if (!conversation.hear(message)) edge.obey(message as EdgeOrder);
});
try {
  await edge.listen();
  tell({ kind: "listening" });
} catch (error) {
  tell({ kind: "failed", error: toldFailure(error) });
}
