/** The entry of the thread that owns the session in a model's process. */
import { plainGlobals } from "../../plain-globals.ts";
import { serveSocket } from "./process-session.ts";

plainGlobals();

await serveSocket();
