/** Draws docs/pictures/*.dot as SVG beside them: `node scripts/pictures.ts`. */
import { writeFileSync } from "node:fs";
import { drawnPictures } from "./drawn-pictures.ts";

for (const { path, svg } of await drawnPictures()) writeFileSync(path, svg);
