/** Asks for the key that calls carry, where the server wants one. */
import { h } from "./dom.ts";
import { bearerKey, keepBearerKey } from "./server.ts";

/** The dialog, and the button that opens it. */
export interface KeyDialog {
  readonly dialog: HTMLDialogElement;
  readonly button: HTMLButtonElement;
  /** Opens it, with what a call was refused with. */
  ask(why: string): void;
}

const USED = "used";

/** Makes both; `onKey` hears of another key. */
export function createKeyDialog(onKey: () => void): KeyDialog {
  const field = h("input", { type: "password", id: "key", autocomplete: "off", spellcheck: "false" });
  const why = h("p", {});
  let wasClosed = false;
  const dialog = h(
    "dialog",
    { "aria-labelledby": "key-title" },
    h(
      "form",
      {
        method: "dialog",
        submit: (event) => {
          event.preventDefault();
          keepBearerKey(field.value.trim());
          dialog.close(USED);
          onKey();
        },
      },
      h("h2", { id: "key-title" }, "Key"),
      why,
      h("label", { for: field.id }, "Bearer key or token"),
      field,
      h("p", { class: "hint" }, "It is kept until this tab is closed, and sent to this server alone."),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "submit", class: "primary" }, "Use it"),
        h("button", { type: "button", class: "quiet", click: () => dialog.close() }, "Cancel"),
      ),
    ),
  );
  const open = (text: string) => {
    why.textContent = text;
    field.value = bearerKey();
    dialog.returnValue = "";
    if (!dialog.open) dialog.showModal();
  };
  const button = h("button", { type: "button", class: "quiet", click: () => open("") }, "Key");
  dialog.addEventListener("close", () => {
    wasClosed = dialog.returnValue !== USED;
  });
  // Whoever closed it is not asked again, and again: the button is there.
  const ask = (text: string) => {
    if (!wasClosed) open(text);
  };
  return { dialog, button, ask };
}
