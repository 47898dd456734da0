/** An image to paint: by mouse, finger or pen, and by arrow keys and space. */
import { h, setText } from "../dom.ts";

/** A grid in the page; its values go row by row, from 0 to the value of a painted place. */
export interface ImageGrid {
  readonly element: HTMLElement;
  values(): number[];
  fill(values: readonly number[]): void;
}

const SIDE = 280;

/** Makes a grid. */
export function imageGrid(width: number, height: number, full: number, onChange: () => void): ImageGrid {
  const values = new Array<number>(width * height).fill(0);
  const scale = Math.max(4, Math.floor(SIDE / Math.max(width, height)));
  const canvas = h("canvas", {
    width: width * scale,
    height: height * scale,
    tabindex: 0,
    role: "application",
    "aria-label": `Image of ${width} by ${height} places. Arrow keys move, space paints, Delete wipes.`,
  });
  const told = h("p", { class: "hint", "aria-live": "polite" });
  let place = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  let hasFocus = false;

  function draw(): void {
    const context = canvas.getContext("2d")!;
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (const [index, value] of values.entries()) {
      const grey = Math.round((Math.min(full, Math.max(0, value)) / full) * 255);
      if (grey === 0) continue;
      context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
      context.fillRect((index % width) * scale, Math.floor(index / width) * scale, scale, scale);
    }
    if (!hasFocus) return;
    context.strokeStyle = "#4aa3ff";
    context.lineWidth = 2;
    context.strokeRect(place.x * scale + 1, place.y * scale + 1, scale - 2, scale - 2);
  }

  /** A stroke is as wide as a pen: its neighbours get some of it. */
  function paint(x: number, y: number, isWiped: boolean): void {
    const around = Math.max(width, height) > 16 ? 1 : 0;
    for (let dy = -around; dy <= around; dy++) {
      for (let dx = -around; dx <= around; dx++) set(x + dx, y + dy, dx === 0 && dy === 0 ? 1 : 0.5, isWiped);
    }
    draw();
    onChange();
  }

  function set(x: number, y: number, share: number, isWiped: boolean): void {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = y * width + x;
    values[at] = isWiped ? 0 : Math.max(values[at]!, Math.round(full * share * 1000) / 1000);
  }

  function paintAt(event: PointerEvent): void {
    const box = canvas.getBoundingClientRect();
    place = {
      x: Math.floor(((event.clientX - box.left) / box.width) * width),
      y: Math.floor(((event.clientY - box.top) / box.height) * height),
    };
    paint(place.x, place.y, event.buttons === 2 || event.shiftKey);
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    paintAt(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons !== 0) paintAt(event);
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (move !== undefined) {
      place = {
        x: Math.min(width - 1, Math.max(0, place.x + move[0])),
        y: Math.min(height - 1, Math.max(0, place.y + move[1])),
      };
      setText(told, `column ${place.x + 1}, line ${place.y + 1}: ${values[place.y * width + place.x]}`);
      draw();
    } else if (event.key === " " || event.key === "Delete") paint(place.x, place.y, event.key === "Delete");
    else return;
    event.preventDefault();
  });
  for (const name of ["focus", "blur"]) {
    canvas.addEventListener(name, () => {
      hasFocus = name === "focus";
      draw();
    });
  }
  const fill = (given: readonly number[]): void => {
    for (let at = 0; at < values.length; at++) values[at] = given[at] ?? 0;
    draw();
  };
  const wipe = h(
    "button",
    {
      type: "button",
      class: "quiet",
      click: () => {
        fill([]);
        onChange();
      },
    },
    "Wipe",
  );
  draw();
  const hint = h("p", { class: "hint" }, `Paint: 0 to ${full}. Shift wipes.`);
  const element = h("div", { class: "image-grid" }, canvas, h("div", {}, hint, wipe, told));
  return { element, values: () => [...values], fill };
}

const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
