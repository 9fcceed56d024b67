// The case page: actions by button and key, and the way to the next case.

import { $, $$, api, label, money, setLevel, setText, toast } from "../shell/core.js";
import { DISPOSITIONS, act, ask, claimNext, queueHref, toastLater, toastNow, undo, undoDecision } from "../shell/cases.js";
import { bind } from "../shell/keys.js";
import { live } from "../shell/live.js";

const head = $("#case");
const { case: caseId, level, recommended } = head.dataset;
const allowed = new Set(head.dataset.allowed.split(" "));
const about = `${caseId}, ${money(Number(head.dataset.exposure))} exposed`;
toastNow();

const reload = () => location.reload();

async function next() {
  if (await claimNext()) return;
  toastLater("No unclaimed cases in this queue.");
  location.assign(queueHref());
}

/** Send an action; the version detects concurrent changes. */
async function perform(body) {
  const review = await act(caseId, { ...body, version: Number(head.dataset.version) });
  toastLater(`${caseId}: ${review.summary}`, caseId);
  if (["close", "approve", "escalate"].includes(body.action)) await onwards();
  else reload();
}
/** After a decision the next case opens; without one, the queue. */
async function onwards() {
  const following = await claimNext().catch(() => null);
  if (!following) location.assign(queueHref());
}

const cards = () => $$("#instruct-target option");
const targetOf = (instruction) => {
  const kind = $(`#instruct-what option[value="${instruction}"]`)?.dataset.about;
  return cards().find((option) => option.dataset.kind === kind)?.value;
};
$("#instruct-what")?.addEventListener("change", (event) => {
  const target = targetOf(event.target.value);
  if (target) $("#instruct-target").value = target;
});

const CONFIRMED = ["note", "escalate", "assign", "reject", "approve", "reopen"];
async function start(action) {
  if (action === "next") return next();
  if (action === "undo") return undo(caseId, reload);
  if (action === "snooze") return snooze();
  if (action === "smr") return smr();
  const sent = action === "recommended" ? "instruct" : action;
  if (!allowed.has(sent)) return toast("The case does not allow that now.");
  if (sent === "instruct") {
    const instruction = recommended || "STEP_UP";
    const body = await ask("instruct", about, { instruction, target: targetOf(instruction) });
    return body && perform(body);
  }
  const body = CONFIRMED.includes(action) ? await ask(action, about) : { action };
  return body && perform(body);
}
async function close(disposition) {
  if (!allowed.has("close")) return toast("The case does not allow that now.");
  $("#dialog-close [data-four-eyes]").hidden = head.dataset.fourEyes !== "true";
  const body = await ask("close", about, { disposition });
  if (body) await perform(body);
}

const smr = async () => (await import("./smr.js")).openReport(caseId);

async function snooze() {
  const asked = await ask("snooze", about);
  if (!asked) return;
  const [entity_kind, ...rest] = asked.entity.split("|");
  const made = await api("POST", "/v1/snoozes", {
    pattern: asked.pattern, entity_kind, entity: rest.join("|"), minutes: Number(asked.hours) * 60, reason: asked.reason,
  });
  toast(`Snoozed until ${made.until.slice(0, 16).replace("T", " ")} UTC`, {
    kind: "good", seconds: 10, action: ["Undo", async () => { await api("DELETE", `/v1/snoozes/${made.snooze_id}`); toast("Snooze ended", { kind: "good" }); }],
  });
}

for (const button of $$("[data-act]")) button.addEventListener("click", () => start(button.dataset.act));
for (const button of $$("[data-decide]")) button.addEventListener("click", () => close(button.dataset.decide));
$("h1.copy").addEventListener("click", async () => {
  await navigator.clipboard?.writeText(caseId);
  toast("Case id copied");
});

// New figures are shown in place; new signals are announced once.

let announced = false;
live({
  case(found) {
    if (found.case_id !== caseId) return;
    setText($('[data-field="score"]', head), found.score.toFixed(2));
    setText($('[data-field="at_risk"]', head), money(Number(found.exposure) - Number(found.already_gone)));
    setText($('[data-field="already_gone"]', head), money(Number(found.already_gone)));
    setText($('[data-field="signal_count"]', head), String(found.signal_count));
    if (found.level !== level) setLevel($(".level", head), found.level);
    if (announced) return;
    announced = true;
    toast("New signals in this case", { seconds: 20, action: ["Show", reload] });
  },
});

// Keys

const keys = $$("[data-act][data-key]").filter(({ dataset }) => dataset.key).map(({ dataset }) => [dataset.key, [dataset.title, () => { start(dataset.act); }]]);
bind("Case", Object.fromEntries(keys));
bind("Case", Object.fromEntries(DISPOSITIONS.map((name, n) => [String(n + 1), [`Close as ${label(name).toLowerCase()}`, () => { close(name); }]])));
if ($("[data-act]")) bind("Case", { "u": ["Undo your last decision", undoDecision] });
bind("Case", { "Escape": ["Back to the queue", () => location.assign(queueHref())] });
