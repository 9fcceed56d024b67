// Keyboard shortcuts: pages register bindings, `?` lists them, typing never triggers them.

import { $, h } from "./core.js";

const bindings = [];
const SEQUENCE_MS = 1_200;
let pending = "";
let pendingTimer = 0;

/**
 * Register keys: bind("Queue", {"j": ["Next case", run], "g o": ["Go to overview", run]}).
 * `j` and `J` (with shift) are different keys; "g o" is a sequence. Within a modal dialog only
 * bindings of `bind(group, keys, {dialog: "#id"})` for that dialog work. Later ones win. `run` gets
 * the event; returning false lets the browser go on with the key.
 */
export function bind(group, keys, { dialog = null } = {}) {
  for (const [key, [title, run]] of Object.entries(keys)) bindings.unshift({ group, key, title, run, dialog });
}

/** Take back the keys of a group that `bind` registered. */
export function unbind(group) {
  bindings.splice(0, bindings.length, ...bindings.filter((b) => b.group !== group));
}

/** Whether the user is typing, so that letters are not shortcuts. */
function isTyping(target) {
  return target instanceof Element &&
    (target.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"])') || target.isContentEditable);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  // Enter and space on a control belong to the control.
  if (["Enter", " "].includes(event.key) && event.target.matches?.("a, button, summary, input")) return;
  const modal = $("dialog[open]");
  const reachable = bindings.filter((b) => (modal ? b.dialog && modal.matches(b.dialog) : !b.dialog));
  const typed = pending ? `${pending} ${event.key}` : event.key;
  clearTimeout(pendingTimer);
  pending = "";
  const found = reachable.find((b) => b.key === typed) ?? reachable.find((b) => b.key === event.key);
  if (found) {
    if (found.run(event) !== false) event.preventDefault();
  } else if (reachable.some((b) => b.key.startsWith(`${typed} `))) {
    pending = typed;
    pendingTimer = setTimeout(() => { pending = ""; }, SEQUENCE_MS);
  }
});

const NAMES = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Enter: "Enter", Escape: "Esc", " ": "Space" };

const parts = (key) => (key === " " ? [key] : key.split(" "));

/** Open the list of keys. */
export function help() {
  const groups = new Map();
  for (const b of [...bindings].reverse()) {
    if (!groups.has(b.group)) groups.set(b.group, new Map());
    const titles = groups.get(b.group);
    titles.set(b.title, [...(titles.get(b.title) ?? []), b.key]);
  }
  const list = [...groups].map(([group, titles]) =>
    h("section", {}, h("h3", {}, group), h("dl", {}, [...titles].map(([title, keys]) => [
      h("dt", {}, keys.map((key) => parts(key).map((part) => h("kbd", {}, NAMES[part] ?? part)))),
      h("dd", {}, title),
    ]))));
  $("#help-keys").replaceChildren(...list);
  $("#help-dialog").showModal();
}

const go = (href) => () => location.assign(href);
bind("Everywhere", {
  "/": ["Search", () => $("#search")?.focus()],
  "?": ["This help", help],
  "g o": ["Go to the overview", go("/")],
  "g c": ["Go to the case queue", go("/cases")],
  "g s": ["Go to the signals", go("/signals")],
  "g p": ["Go to the patterns", go("/patterns")],
});
