// The case page: actions by button and key, and the way to the next case.

import { $, $$, api, label, money, setLevel, setText, toast } from "./core.js";
import { DISPOSITIONS, act, ask, claimNext, offerUndo, queueHref, said, sayLater, sayNow, undo } from "./cases.js";
import { bind } from "./keys.js";
import { live } from "./live.js";

const head = $("#case");
const { case: caseId, level, recommended } = head.dataset;
const allowed = new Set(head.dataset.allowed.split(" "));
const about = `${caseId}, ${money(Number(head.dataset.exposure))} exposed`;
sayNow();

const reload = () => location.reload();

async function next() {
  if (await claimNext()) return;
  sayLater("Nobody's case is left in this queue.");
  location.assign(queueHref());
}

/** Send an action; the version guards against what somebody else did meanwhile. */
async function perform(body) {
  const review = await act(caseId, { ...body, version: Number(head.dataset.version) });
  sayLater(said(caseId, body, review), caseId);
  if (["close", "approve", "escalate"].includes(body.action)) await onwards();
  else reload();
}
/** After a decision the next case comes by itself; without one, the queue. */
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

const ASKED = ["note", "escalate", "assign", "reject", "approve", "reopen"];
async function start(action) {
  if (action === "next") return next();
  if (action === "undo") return undo(caseId, reload);
  if (action === "snooze") return snooze();
  if (action === "smr") return smr();
  const sent = action === "recommended" ? "instruct" : action;
  if (!allowed.has(sent)) return toast(`The case does not allow that now.`);
  if (sent === "instruct") {
    const instruction = recommended || "STEP_UP";
    const body = await ask("instruct", about, { instruction, target: targetOf(instruction) });
    return body && perform(body);
  }
  const body = ASKED.includes(action) ? await ask(action, about) : { action };
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

// What detection still finds is shown in place; anything more is announced.

let announced = false;
live({
  case(found) {
    if (found.case_id !== caseId) return;
    setText($('[data-field="score"]', head), found.score.toFixed(2));
    setText($('[data-field="exposure"]', head), money(Number(found.exposure)));
    setText($('[data-field="signal_count"]', head), String(found.signal_count));
    if (found.level !== level) setLevel($(".level", head), found.level);
    if (announced) return;
    announced = true;
    toast("New signals in this case", { seconds: 20, action: ["Show", reload] });
  },
});

// Keys

const KEYS = {
  c: [head.dataset.owner === document.body.dataset.person ? "Release" : "Claim", head.dataset.owner === document.body.dataset.person ? "release" : "claim"],
  n: ["Claim the next case", "next"], m: ["Note", "note"], i: ["Instruct the bank's systems", "instruct"],
  e: ["Escalate", "escalate"], a: ["Assign", "assign"], s: ["Snooze a pattern", "snooze"], u: ["Undo", "undo"],
};
if (recommended) KEYS.r = [`Recommended: ${label(recommended).toLowerCase()}`, "recommended"];
if (head.dataset.status === "PENDING_APPROVAL") Object.assign(KEYS, { p: ["Approve", "approve"], x: ["Reject", "reject"] });
if (head.dataset.status === "CLOSED") KEYS.o = ["Reopen", "reopen"];
if ($('[data-act="smr"]')) KEYS.d = ["SMR draft", "smr"];
if ($("#dialog-close")) {
  bind("Case", Object.fromEntries(Object.entries(KEYS).map(([key, [title, action]]) => [key, [title, () => { start(action); }]])));
  bind("Case", Object.fromEntries(DISPOSITIONS.map((name, n) => [String(n + 1), [`Close as ${label(name).toLowerCase()}`, () => { close(name); }]])));
}
bind("Case", { "Escape": ["Back to the queue", () => location.assign(queueHref())] });
