// Parts of a page that follow the server without scripts of their own: <div id="…" data-live>.

import { $$ } from "./core.js";

const LEAST_MS = 900;
const SHARE = 8; // at most an eighth of the time is spent fetching

let wanted = false;
let busy = false;

/** Fetch this page anew, soon, and put its live parts in place; calls meanwhile are one. */
export function refresh() {
  wanted = true;
  if (!busy) run();
}

async function run() {
  busy = true;
  while (wanted) {
    wanted = false;
    const began = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      wanted = true; // the live indicator says that the server is away
    }
    const took = performance.now() - began;
    await new Promise((done) => setTimeout(done, Math.max(LEAST_MS - took, took * (SHARE - 1))));
  }
  busy = false;
}

/** What a person points at or works in holds still until they leave it. */
const held = (node) => node.matches(":hover") || node.contains(document.activeElement);

function replace(fresh) {
  for (const node of $$("[data-live]")) {
    const next = fresh.getElementById(node.id);
    if (!next || next.innerHTML === node.dataset.shown) continue;
    if (held(node)) {
      wanted = true;
      continue;
    }
    node.dataset.shown = next.innerHTML;
    node.replaceChildren(...next.childNodes);
  }
  document.dispatchEvent(new CustomEvent("refreshed", { detail: fresh }));
}
