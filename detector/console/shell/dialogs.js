// Confirmation dialogs.

import { h } from "./core.js";

/** Ask for confirmation; resolves to whether it was given. */
export function ask({ title, text, action, danger = true }) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "dialog", "aria-label": title },
      h("div", { class: "dialog-head" }, h("h2", {}, title)),
      h("div", { class: "dialog-body" }, h("p", {}, text)),
      h("form", { class: "dialog-foot", method: "dialog" },
        h("button", { class: "button", value: "" }, "Cancel"),
        h("button", { class: `button ${danger ? "button-danger" : "button-primary"}`, value: "yes", autofocus: true }, action)));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
