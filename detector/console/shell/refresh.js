// Parts of a page that are refreshed from the server: <div id="…" data-live>.

import { $$ } from "./core.js";

const LEAST_MS = 900;
const SHARE = 8; // at most an eighth of the time is spent fetching

let wanted = false;
let forced = false;
let busy = false;

/** Reload this page soon and replace its live parts; calls in between are merged. */
export function refresh() {
  wanted = true;
  if (!busy) run();
}

/** The same after one's own change: also replaces the part in use. */
export function refreshNow() {
  forced = true;
  refresh();
}

async function run() {
  busy = true;
  while (wanted) {
    wanted = false;
    const evenHeld = forced;
    forced = false;
    const began = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) replace(new DOMParser().parseFromString(await answer.text(), "text/html"), evenHeld);
    } catch {
      wanted = true; // the live indicator says that the server is away
    }
    const took = performance.now() - began;
    await new Promise((done) => setTimeout(done, Math.max(LEAST_MS - took, took * (SHARE - 1))));
  }
  busy = false;
}

const shown = new WeakMap();

/** A part under the pointer or with the focus is not replaced. */
const held = (node) => node.matches(":hover") || node.contains(document.activeElement);

function replace(fresh, evenHeld) {
  for (const node of $$("[data-live]")) {
    const next = fresh.getElementById(node.id);
    if (!next || next.innerHTML === shown.get(node)) continue;
    if (held(node) && !evenHeld) {
      wanted = true;
      continue;
    }
    shown.set(node, next.innerHTML);
    const focused = node.contains(document.activeElement) && document.activeElement.id;
    node.replaceChildren(...next.childNodes);
    if (focused) document.getElementById(focused)?.focus();
  }
  document.dispatchEvent(new CustomEvent("refreshed", { detail: fresh }));
}
