// The shell of every page: theme, times, keyboard, live indicator, dialogs and menus.

import { $, $$ } from "./core.js";
import "./theme.js";
import "./time.js";
import "./live.js";
import { help } from "./keys.js";

$("#help-open").addEventListener("click", help);

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
  // A click on the backdrop is a click on the dialog itself.
  if (event.target.matches?.("dialog.dialog[open]")) event.target.close();
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of $$("details.menu[open]")) { menu.open = false; $("summary", menu).focus(); }
});
