// The case page: actions by button and key, and the way to the next case.

import { $, $$, api, label, money, setLevel, setText, toast } from "../shell/core.js";
import { DISPOSITIONS, act, ask, claimNext, offerUndo, queueHref, toastLater, toastNow, undo, undoDecision } from "../shell/cases.js";
import { bind, unbind } from "../shell/keys.js";
import { live } from "../shell/live.js";

const head = $("#case");
const caseId = head.dataset.case;
const allows = (action) => head.dataset.allowed.split(" ").includes(action);
const about = `${caseId}, ${money(Number(head.dataset.exposure))} exposed`;
toastNow();

const reload = () => location.reload();

async function next() {
  if (await claimNext()) return;
  toastLater("No unclaimed cases in this queue.");
  location.assign(queueHref());
}

// A page that loads anew takes no keys for a moment, and what is typed on would meet others.
const IN_PLACE = ["claim", "release", "note", "instruct", "assign", "reject"];
/** Send an action; the version detects concurrent changes. */
async function perform(body) {
  const review = await act(caseId, { ...body, version: Number(head.dataset.version) });
  const said = `${caseId}: ${review.summary}`;
  if (IN_PLACE.includes(body.action)) {
    head.dataset.version = review.version;
    offerUndo(caseId, said, reload);
    return follow();
  }
  toastLater(said, caseId);
  if (body.action === "reopen") reload();
  else await onwards();
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
  if (action === "list") return list();
  if (action === "smr") return smr();
  const sent = action === "recommended" ? "instruct" : action;
  if (!allows(sent)) return toast("The case does not allow that now.");
  if (sent === "instruct") {
    const instruction = head.dataset.recommended || "STEP_UP";
    const body = await ask("instruct", about, { instruction, target: targetOf(instruction) });
    return body && perform(body);
  }
  const body = CONFIRMED.includes(action) ? await ask(action, about) : { action };
  return body && perform(body);
}
async function close(disposition) {
  if (!allows("close")) return toast("The case does not allow that now.");
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

/** Offers what the events of the case have and no list has yet. */
async function list() {
  const [{ values }, { addEntry }] = await Promise.all([
    api("GET", `/v1/cases/${caseId}/list-values`), import("../lists/add.js"),
  ]);
  if (!values.length) return toast("The events of the case have no value that a list could have.");
  $("#list-what").replaceChildren(...values.map(
    ({ list_name, list_title, value, fired }) => new Option(`${value} to ${list_title.toLowerCase()}${fired ? ", where a pattern fired" : ""}`, `${list_name}|${value}`),
  ));
  const asked = await ask("list", about);
  if (!asked) return;
  const [name, ...rest] = asked.what.split("|");
  await addEntry(name, { ...asked, value: rest.join("|") });
}

head.addEventListener("click", async ({ target }) => {
  const { act: action, decide } = target.closest("[data-act], [data-decide]")?.dataset ?? {};
  if (action) start(action);
  else if (decide) close(decide);
  else if (target.closest("h1.copy")) {
    await navigator.clipboard?.writeText(caseId);
    toast("Case id copied");
  }
});

// New figures are shown in place; new signals are announced once.

let announced = false;
let others = [];
function showViewers() {
  const pill = $(".viewers", head);
  pill.hidden = !others.length;
  setText(pill, `Also here: ${others.join(", ")}`);
}

/** Take up what was done, by a colleague or here: the head with its actions, the timeline and what is earlier. */
async function follow() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const held = head.contains(document.activeElement) && document.activeElement.dataset.act;
  Object.assign(head.dataset, fresh.getElementById("case").dataset);
  for (const node of [head, $("#timeline"), $("#earlier")]) node.replaceChildren(...fresh.getElementById(node.id).childNodes);
  if (held) $(`[data-act="${held}"]`, head)?.focus();
  showViewers();
  bindKeys();
}

live({
  async review({ case_id, actor, did }) {
    if (case_id !== caseId || actor === document.body.dataset.user) return;
    // One who is deciding keeps what they decide on; sending it then names the conflict.
    if (!$("dialog[open]")) await follow();
    toast(`${actor} ${did}`);
  },
  viewers({ names }) {
    others = names.filter((name) => name !== document.body.dataset.user);
    showViewers();
  },
  case(found) {
    if (found.case_id !== caseId) return;
    setText($('[data-field="score"]', head), found.score.toFixed(2));
    setText($('[data-field="at_risk"]', head), money(Number(found.exposure) - Number(found.already_gone)));
    setText($('[data-field="already_gone"]', head), money(Number(found.already_gone)));
    setText($('[data-field="signal_count"]', head), String(found.signal_count));
    setLevel($(".level", head), found.level);
    if (announced) return;
    announced = true;
    toast("New signals in this case", { seconds: 20, action: ["Show", reload] });
  },
});

// Keys

/** Bind the keys of the buttons, which change with the case: c claims, and then releases. */
function bindKeys() {
  unbind("Case");
  for (const { dataset: { act: action, key, title } } of $$("[data-act]", head)) {
    if (key) bind("Case", { [key]: [title, () => { start(action); }] });
  }
  bind("Case", Object.fromEntries(DISPOSITIONS.map((name, n) => [String(n + 1), [`Close as ${label(name).toLowerCase()}`, () => { close(name); }]])));
  if ($("[data-act]")) bind("Case", { "u": ["Undo your last decision", undoDecision] });
  bind("Case", { "Escape": ["Back to the queue", () => location.assign(queueHref())] });
}
bindKeys();
