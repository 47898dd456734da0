/** A request written by hand. */
import { h } from "../dom.ts";

/** A field for JSON in the page. */
export interface JsonForm {
  readonly element: HTMLElement;
  text(): string;
  fill(text: string): void;
}

/** Makes the field, filled with an example. */
export function jsonForm(example: string, onChange: () => void): JsonForm {
  const area = h("textarea", {
    id: "request",
    rows: Math.min(20, example.split("\n").length + 1),
    spellcheck: "false",
    input: onChange,
  });
  area.value = example;
  const element = h("div", { class: "json-form" }, h("label", { for: area.id }, "Request, as JSON"), area);
  return {
    element,
    text: () => area.value,
    fill(text) {
      area.value = text;
    },
  };
}
