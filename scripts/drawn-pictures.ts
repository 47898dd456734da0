import { globSync, readFileSync } from "node:fs";
import { instance } from "@viz-js/viz";

/** A picture of the docs, drawn. */
export interface DrawnPicture {
  /** Where it stands, beside its text. */
  readonly path: string;
  readonly svg: string;
}

/** Every picture that stands as text in docs/pictures, drawn by Graphviz. Throws what Graphviz says of a text that it cannot read. */
export async function drawnPictures(): Promise<DrawnPicture[]> {
  const graphviz = await instance();
  return globSync("docs/pictures/*.dot")
    .sort()
    .map((path) => ({
      path: path.replace(/\.dot$/, ".svg"),
      svg: graphviz.renderString(readFileSync(path, "utf8"), { format: "svg" }),
    }));
}
