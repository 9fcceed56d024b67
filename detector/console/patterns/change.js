// Changing a rule: sliders with a preview, a proposal, and what was proposed before.

import { $, $$, api, dollars, h, number, setText, toast } from "../shell/core.js";
import { clock } from "../shell/time.js";

const dialog = $("#change");
const form = $("form", dialog);
const FIELDS = ["threshold", "window_seconds", "weight"];
const PREVIEW_AFTER_MS = 350;
let pattern = "";
let now = {};
let asked = null;
let timer = 0;

const url = (...rest) => ["/v1/patterns", pattern, ...rest].join("/");
const input = (name) => $(`#rule-${name}`);
const given = () => [...FIELDS.map((name) => [name, Number(input(name).value)]), ["mode", input("mode").value]];
const changes = () => Object.fromEntries(given().filter(([name, value]) => value !== now[name]));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-change]");
  if (!button) return;
  const { change, title, threshold, window: seconds, weight, mode, precision } = button.dataset;
  pattern = change;
  now = { threshold: Number(threshold), window_seconds: Number(seconds), weight: Number(weight), mode };
  setText($("#change-title"), `Change ${title}`);
  form.reset();
  for (const name of FIELDS) {
    const range = $(`#range-${name}`);
    Object.assign(range, name === "weight" ? { min: 0.01, max: 1 } : { min: now[name] / 5, max: now[name] * 3 });
    if (name === "threshold") range.step = now.threshold > 50 || Number.isInteger(now.threshold) ? 1 : 0.1;
    range.value = input(name).value = now[name];
  }
  setText($("#rule-precision"), `Precision today, by closed cases: ${precision}.`);
  input("mode").value = mode;
  $("#rule-preview").replaceChildren();
  setText($("#rule-note"), "Move a slider to see what the change would have found.");
  dialog.showModal();
  await showVersions();
});
$("[data-close]", dialog).addEventListener("click", () => dialog.close());

// Slider and number follow each other; a moment later the preview is asked.

for (const name of FIELDS) {
  const range = $(`#range-${name}`);
  range.addEventListener("input", () => { input(name).value = range.value; later(); });
  input(name).addEventListener("input", () => { range.value = input(name).value; later(); });
}
input("mode").addEventListener("change", later);
function later() {
  clearTimeout(timer);
  timer = setTimeout(preview, PREVIEW_AFTER_MS);
}
async function preview() {
  asked?.abort();
  if (!Object.keys(changes()).length) return;
  asked = new AbortController();
  setText($("#rule-note"), "Computing…");
  try {
    const found = await api("POST", url("preview"), { changes: changes() }, { quiet: true, signal: asked.signal });
    show(found);
  } catch (error) {
    if (error.name !== "AbortError") setText($("#rule-note"), error.message);
  }
}
const ROWS = [["signals", "Signals", number], ["customers", "Customers", number], ["cases", "Cases", number], ["critical", "of them critical", number], ["exposure", "Exposure", (value) => dollars(Number(value))], ["alone", "Customers no other pattern found", number]];
function show({ before, after, cases }) {
  $("#rule-preview").replaceChildren(...ROWS.map(([key, title, shown]) => h("tr", {}, h("td", {}, title), h("td", { class: "num" }, shown(before[key])), h("td", { class: "num" }, shown(after[key])))));
  setText($("#rule-note"), `${number(cases.new.count)} cases would appear, ${number(cases.gone.count)} would not be. No case is closed in this comparison.`);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!Object.keys(changes()).length) return setText($("#rule-note"), "Nothing is changed yet.");
  setText($("#rule-note"), "Computing the preview that goes with the proposal…");
  const proposed = await api("POST", url("versions"), { changes: changes(), reason: $("#rule-reason").value });
  setText($("#rule-note"), `Version ${proposed.version} is proposed.`);
  toast(`Version ${proposed.version} proposed.`, { kind: "good" });
  await showVersions();
});

// Versions

const said = (version) => Object.entries(version.changes).map(([key, value]) => `${key} ${value}`).join(", ");
async function showVersions() {
  const { versions } = await api("GET", url("versions"));
  $("#roll-back").hidden = !versions.some((version) => version.state === "live");
  const items = versions.map((version) => {
    const waits = dialog.dataset.fourEyes === "true" && version.author === document.body.dataset.user;
    const approve = waits ? h("span", { class: "muted" }, "A second person approves it.") : decide(version, "approve", "Approve");
    const buttons = { draft: [decide(version, "shadow", "Try in shadow"), approve, decide(version, "reject", "Reject")], shadow: [approve, decide(version, "reject", "End")] }[version.state] ?? [];
    const item = h("li", {}, h("span", { class: "pill" }, version.state), h("b", {}, `${version.version}: ${said(version)}`), h("span", { class: "muted" }, `${version.author}: ${version.reason}`), ...buttons);
    if (version.shadow_since) compare(version, item);
    return item;
  });
  $("#rule-versions").replaceChildren(...(items.length ? items : [h("li", { class: "muted" }, "Only that of the rules' file.")]));
}
async function compare(version, item) {
  const { since, signals, in_force: now, challenger, differences } = await api("GET", url("versions", version.version, "shadow"), undefined, { quiet: true });
  const right = (side) => (side.precision === null ? "none decided" : `${side.confirmed} of ${side.confirmed + side.refuted} right`);
  const line = `In shadow since ${clock(since)}: both found ${number(signals.both)}, the version in force alone ${number(signals.in_force)}, version ${version.version} alone ${number(signals.challenger)}. In force: ${right(now)}; version ${version.version}: ${right(challenger)}.`;
  const rows = differences.map((row) => h("li", {}, h("span", { class: "muted" }, row.found_by === "challenger" ? `version ${version.version} alone` : "in force alone"), h("a", { href: `/customers/${encodeURIComponent(row.customer_id)}` }, row.customer_id), h("span", {}, row.reason)));
  item.append(h("div", { class: "rule-compared" }, h("p", { class: "num" }, line), h("ul", {}, ...rows)));
}
const SAID = { approve: "is live", reject: "is rejected", shadow: "runs in shadow" };
function decide(version, action, title) {
  const button = h("button", { class: "button button-small", type: "button" }, title);
  button.addEventListener("click", async () => {
    await api("POST", url("versions", version.version, action));
    toast(`Version ${version.version} ${SAID[action]}.`, { kind: "good" });
    if (action === "shadow") await showVersions();
    else location.reload();
  });
  return button;
}
$("#roll-back").addEventListener("click", async () => {
  const { version } = await api("POST", url("rollback"));
  toast(version ? `Version ${version} is live again.` : "The rules' file is in force again.", { kind: "good" });
  location.reload();
});
