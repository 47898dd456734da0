/** One fenced block of a Markdown page. */
export interface MarkdownBlock {
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** The words after the fence: a language, then what else stands there. */
  readonly info: readonly string[];
  readonly text: string;
}

/** The fenced blocks of a page, in order. Throws where a fence is not closed. */
export function markdownBlocks(page: string): readonly MarkdownBlock[] {
  const blocks: MarkdownBlock[] = [];
  let open: { line: number; info: string[]; lines: string[] } | undefined;
  for (const [index, line] of page.split("\n").entries()) {
    if (open === undefined) {
      if (line.startsWith("```"))
        open = { line: index + 1, info: line.slice(3).trim().split(/\s+/), lines: [] };
    } else if (line === "```") {
      blocks.push({ line: open.line, info: open.info, text: `${open.lines.join("\n")}\n` });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open !== undefined) throw new Error(`the block at line ${open.line} is not closed`);
  return blocks;
}
