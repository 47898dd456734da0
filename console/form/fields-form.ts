/** Fields for the values of one row, each with room for what is wrong with it. */
import { h, setText } from "../dom.ts";
import type { Field } from "./form-plan.ts";

/** A fault as the server names it. */
export interface Fault {
  readonly field: string;
  readonly description: string;
}

/** A form in the page. */
export interface FieldsForm {
  readonly element: HTMLElement;
  texts(): string[];
  fill(texts: readonly string[]): void;
  /** Shows faults beside their fields, and answers those that belong to none. */
  showFaults(faults: readonly Fault[]): Fault[];
}

const WORDS: Readonly<Record<Field["kind"], string>> = {
  number: "number",
  integer: "whole number",
  text: "text",
  boolean: "true or false",
};
/** Lists that are longer are offered while one types. */
const MOST_OPTIONS = 40;

/** Makes the fields; `onChange` hears of every change of a value. */
export function fieldsForm(fields: readonly Field[], onChange: () => void): FieldsForm {
  const rows = fields.map((field, index) => fieldRow(field, index, onChange));
  const element = h("div", { class: "fields" }, ...rows.map(({ element }) => element));
  return {
    element,
    texts: () => rows.map(({ control }) => control.value),
    fill(texts) {
      for (const [index, { control }] of rows.entries()) control.value = texts[index] ?? "";
    },
    showFaults(faults) {
      const left = new Set(faults);
      for (const [index, { control, fault, element }] of rows.entries()) {
        const own = faults.filter(({ field }) => isOf(field, fields[index]!.path));
        for (const one of own) left.delete(one);
        setText(fault, own.map(({ description }) => description).join("; "));
        element.classList.toggle("wrong", own.length > 0);
        if (own.length > 0) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
      }
      return [...left];
    },
  };
}

/** A violation may name a part of a value. */
function isOf(path: string, field: string): boolean {
  return path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}

function fieldRow(field: Field, index: number, onChange: () => void) {
  const id = `field-${index}`;
  const what = `${WORDS[field.kind]} · ${field.datatype}${field.optional ? " · optional" : ""}`;
  const control = controlOf(field, id, onChange);
  const fault = h("span", { class: "fault", id: `${id}-fault` });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, field.name),
    control,
    h("span", { class: "hint", id: `${id}-hint` }, what),
    fault,
  );
  if (field.choices.length > MOST_OPTIONS) {
    const list = h(
      "datalist",
      { id: `${id}-list` },
      ...field.choices.map((choice) => h("option", { value: choice })),
    );
    control.setAttribute("list", list.id);
    element.append(list);
  }
  return { element, control, fault };
}

function controlOf(field: Field, id: string, onChange: () => void): HTMLInputElement | HTMLSelectElement {
  const described = `${id}-hint ${id}-fault`;
  const shared = { id, name: field.name, "aria-describedby": described, input: onChange };
  if (field.choices.length > 0 && field.choices.length <= MOST_OPTIONS) {
    const choices = field.choices.includes(field.example) ? field.choices : [field.example, ...field.choices];
    const select = h(
      "select",
      shared,
      ...choices.map((choice) => h("option", { value: choice }, choice === "" ? "(empty)" : choice)),
    );
    select.value = field.example;
    return select;
  }
  const isNumber = field.kind === "number" || field.kind === "integer";
  const mode = isNumber ? (field.kind === "integer" ? "numeric" : "decimal") : undefined;
  return h("input", {
    ...shared,
    type: "text",
    value: field.example,
    inputmode: mode,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: isNumber ? "missing" : undefined,
  });
}
