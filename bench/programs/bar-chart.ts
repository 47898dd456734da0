/** One group of bars, each with its name and figure. */
export interface BarGroup {
  readonly name: string;
  readonly figures: readonly { readonly name: string; readonly value: number }[];
}

const WIDTH = 720;
const BAR = 18;
const LABEL = 90;
const COLORS: Readonly<Record<string, string>> = { assay: "#2563eb" };

/** Horizontal bars as SVG, each group on a scale of its own, since groups measure different things. */
export function barChart(title: string, groups: readonly BarGroup[]): string {
  const parts: string[] = [];
  let y = 40;
  for (const { name, figures } of groups) {
    parts.push(text(10, y, name, "bold"));
    y += 10;
    const most = Math.max(...figures.map(({ value }) => value));
    for (const figure of figures) {
      const width = Math.max(1, (figure.value / most) * (WIDTH - LABEL - 110));
      const color = COLORS[figure.name] ?? "#94a3b8";
      parts.push(text(20, y + 13, figure.name));
      parts.push(
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 4}" fill="${color}"/>`,
      );
      parts.push(text(LABEL + width + 6, y + 13, figure.value.toFixed(1)));
      y += BAR;
    }
    y += 22;
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="12">`;
  return `${[head, `<title>${title}</title>`, `<rect width="100%" height="100%" fill="white"/>`, text(10, 20, title), ...parts, "</svg>"].join("\n")}\n`;
}

function text(x: number, y: number, content: string, weight = "normal"): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" font-weight="${weight}">${escaped}</text>`;
}
