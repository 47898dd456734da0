/** The entry of the thread that owns the session in a model's process. */
import { serveSocket } from "./process-session.ts";

await serveSocket();
