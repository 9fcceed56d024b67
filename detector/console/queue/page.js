// The queue: filters in the URL, keys, selection, bulk actions; new cases are only announced.

import { $, $$, api, dollars, label, money, number, setLevel, setText, toast } from "../shell/core.js";
import { DISPOSITIONS, act, actOnAll, ask, claimNext, filtersOf, keepQueue, offerUndo, toastNow, undoDecision } from "../shell/cases.js";
import { bind } from "../shell/keys.js";
import { live } from "../shell/live.js";

keepQueue(location.search);
toastNow();
document.documentElement.classList.add("scripted");

// Filters: a change submits the form, without empty fields.

const form = $("#queue-form");
const filter = () => {
  const query = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value !== "" && !(name === "sort" && value === "rank")));
  location.assign(`/cases${query.size ? `?${query}` : ""}`);
};
form.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
for (const field of $$("select", form)) field.addEventListener("change", filter);

// Saved views

$("#save-view").addEventListener("click", async () => {
  const asked = await ask("view", "The filters, the order and the columns as they are now.");
  if (!asked) return;
  await api("POST", "/v1/views", { name: asked.name, shared: asked.shared === "true", filters: filtersOf(location.search) });
  location.reload();
});
document.addEventListener("click", async ({ target }) => {
  const view = target.closest("[data-forget]")?.dataset.forget;
  if (!view) return;
  await api("DELETE", `/v1/views/${view.split("/").map(encodeURIComponent).join("/")}`);
  location.reload();
});

// The current row

const table = $("#queue");
const rows = table ? $$("tr[data-case]", table) : [];
let current = -1;

function go(index, focus = true) {
  if (!rows.length) return;
  rows[current]?.classList.remove("current");
  current = Math.max(0, Math.min(rows.length - 1, index));
  rows[current].classList.add("current");
  sessionStorage.setItem("queue-row", rows[current].dataset.case);
  if (focus) rows[current].scrollIntoView({ block: "nearest" });
}
const left = rows.findIndex((row) => row.dataset.case === sessionStorage.getItem("queue-row"));
go(Math.max(0, left), left > 0);

const open = (row) => location.assign(row.dataset.href);
table?.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-case]");
  if (!row || event.target.closest("a, input, button, .rank")) return;
  if (event.shiftKey) return;
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.href);
  else open(row);
});

// Selection

const box = (row) => $('input[name="case"]', row);
const chosen = () => rows.filter((row) => box(row)?.checked);
const targets = () => (chosen().length ? chosen() : rows[current] ? [rows[current]] : []);
let anchor = 0;

function choose(index, checked) {
  const row = rows[index];
  if (!row || !box(row) || box(row).disabled) return;
  box(row).checked = checked;
  row.setAttribute("aria-selected", checked);
}
function chooseTo(index) {
  const [from, to] = [Math.min(anchor, index), Math.max(anchor, index)];
  for (let n = from; n <= to; n++) choose(n, true);
  showChosen();
}
const exposure = (some) => some.reduce((sum, row) => sum + Number(row.dataset.exposure), 0);
const count = (some) => `${number(some.length)} case${some.length === 1 ? "" : "s"}`;

function showChosen() {
  const bar = $("#bulk");
  if (!bar) return;
  const some = chosen();
  bar.hidden = some.length === 0;
  setText($("#bulk-count"), `${count(some)} selected`);
  setText($("#bulk-exposure"), `${dollars(exposure(some))} exposed`);
  const all = $("#select-all");
  all.checked = some.length > 0 && some.length === rows.length;
  all.indeterminate = some.length > 0 && some.length < rows.length;
}
rows.forEach((row, index) => box(row)?.addEventListener("click", (event) => {
  if (event.shiftKey) chooseTo(index);
  else { choose(index, event.target.checked); anchor = index; }
  showChosen();
}));
$("#select-all")?.addEventListener("change", (event) => {
  rows.forEach((_, index) => choose(index, event.target.checked));
  showChosen();
});
const clear = () => { rows.forEach((_, index) => choose(index, false)); showChosen(); };
$("#bulk-clear")?.addEventListener("click", clear);

// Actions

function show(review) {
  const row = rows.find((r) => r.dataset.case === review.case_id);
  if (!row) return;
  const pill = $('[data-field="status"] .pill', row);
  pill.className = `pill status status-${review.status.toLowerCase()}`;
  setText(pill, label(review.status));
  const owner = $(".owner", row);
  owner?.classList.toggle("muted", !review.owner);
  owner?.replaceChildren(...(review.owner ? [avatar(review.owner), review.owner] : ["No owner"]));
  row.classList.toggle("done", review.status === "CLOSED");
}
function avatar(name) {
  const node = document.createElement("span");
  node.className = "avatar";
  node.setAttribute("aria-hidden", "true");
  node.textContent = name[0].toUpperCase();
  return node;
}

async function doTo(some, action, values = {}) {
  if (!some.length || !$("#bulk")) return;
  const ids = some.map((row) => row.dataset.case);
  const about = some.length === 1 ? `${ids[0]}, ${money(exposure(some))} exposed` : `This affects ${count(some)} with ${dollars(exposure(some))} exposed.`;
  const critical = some.filter((row) => row.dataset.level === "critical").length;
  const hint = $("#dialog-close [data-four-eyes]");
  hint.hidden = !(critical && table.dataset.fourEyes === "true");
  if (some.length > 1) setText(hint, `Critical among them: ${number(critical)}. Someone who may approve has to approve closing those.`);
  else setText(hint, hint.dataset.one);
  const confirm = action !== "claim" || some.length > 1;
  const body = confirm ? await ask(action, about, values) : { action };
  if (!body) return;
  if (some.length === 1) {
    const review = await act(ids[0], body);
    show(review);
    offerUndo(ids[0], `${ids[0]}: ${review.summary}`, show);
    if (review.status === "CLOSED") go(current + 1);
    return;
  }
  const { done, refused } = await actOnAll(ids, body);
  done.forEach(show);
  if (done.length) toast(`${number(done.length)} of ${count(some)} done`, { kind: "good" });
  if (refused.length) toast(`${number(refused.length)} refused: ${refused[0].detail}`, { kind: "error" });
  clear();
}
for (const button of $$("[data-bulk]")) button.addEventListener("click", () => doTo(chosen(), button.dataset.bulk));

async function next() {
  if (!$("#claim-next")) return;
  if (!(await claimNext())) toast("No unclaimed cases in this queue.");
}
$("#claim-next")?.addEventListener("click", next);

// New cases are counted, not inserted: the rows in view stay in place.

const arrivals = new Set();
const known = new Set(rows.map((row) => row.dataset.case));
const button = $("#arrivals");
const asOf = Date.parse(button.dataset.asOf);
const SLACK_MS = 10_000; // from the event that opened a case to the screen
const wanted = new URLSearchParams(location.search);
const fits = (found) => {
  const [levels, patterns] = [wanted.getAll("level"), wanted.getAll("pattern")];
  return (!levels.length || levels.includes(found.level)) &&
    (!patterns.length || found.patterns.some((p) => patterns.includes(p))) &&
    !wanted.has("min_age") && !wanted.has("status") && ["none", "", null].includes(wanted.get("owner"));
};
const announce = (count) => {
  button.dataset.state = count > 0 ? "some" : "none";
  setText($("#arrivals-text"), `${number(count)} new`);
};
live({
  case(found) {
    const row = rows.find((r) => r.dataset.case === found.case_id);
    if (row) {
      setText($('[data-field="score"]', row), found.score.toFixed(2));
      setText($('[data-field="exposure"]', row), money(Number(found.exposure)));
      row.dataset.exposure = found.exposure;
      if (row.dataset.level !== found.level) setLevel($(".level", row), (row.dataset.level = found.level));
    } else if (!known.has(found.case_id) && Date.parse(found.opened_at) > asOf - SLACK_MS && fits(found)) {
      arrivals.add(found.case_id);
      announce(arrivals.size);
    }
  },
  review: show,
  // Missed while the stream was down: at least as many as the queue has grown by.
  async resume() {
    const query = new URLSearchParams(location.search);
    query.delete("cursor");
    query.set("limit", "1");
    const { total } = await api("GET", `/v1/cases?${query}`, undefined, { quiet: true });
    announce(Math.max(arrivals.size, total - Number(button.dataset.total)));
  },
});
const load = () => {
  const url = new URL(location.href);
  url.searchParams.delete("cursor");
  location.replace(url);
};
button.addEventListener("click", load);

// Keys

bind("Queue", {
  "j": ["Next case", () => go(current + 1)], "ArrowDown": ["Next case", () => go(current + 1)],
  "k": ["Previous case", () => go(current - 1)], "ArrowUp": ["Previous case", () => go(current - 1)],
  "Enter": ["Open the case", () => rows[current] && open(rows[current])],
  ".": ["Load new cases", load],
});
if ($("#bulk")) {
  bind("Queue", {
    "n": ["Claim the next case", next],
    "x": ["Select", () => { anchor = current; choose(current, !box(rows[current])?.checked); showChosen(); }],
    "X": ["Select up to here", () => chooseTo(current)],
    "Escape": ["Clear the selection", clear],
    ...Object.fromEntries($$("[data-bulk]").filter((node) => node.dataset.bulk !== "close").map(({ dataset }) => [dataset.key, [dataset.title, () => doTo(targets(), dataset.bulk)]])),
    "u": ["Undo your last decision", undoDecision],
    ...Object.fromEntries(DISPOSITIONS.map((name, n) => [String(n + 1), [`Close as ${label(name).toLowerCase()}`, () => doTo(targets(), "close", { disposition: name })]])),
  });
}
