// New signals are added at the top, except while the list is under the pointer.

import { $, $$, label, number, setPattern, setText } from "../shell/core.js";
import { live } from "../shell/live.js";
import { clock } from "../shell/time.js";

const table = $("#signals");
const body = $("tbody", table);
const template = $("#signal-row");
const MOST_ROWS = 200;
const wanted = new URLSearchParams(location.search);
const fits = (signal) =>
  ["pattern", "severity"].every((name) => !wanted.getAll(name).filter(Boolean).length || wanted.getAll(name).includes(signal[name])) &&
  ["account", "customer"].every((name) => !wanted.get(name) || wanted.get(name) === signal[`${name}_id`]);

let waiting = [];
const known = new Set($$("[data-signal]", body).map((row) => row.dataset.signal));
const held = () => body.matches(":hover") || body.contains(document.activeElement) || scrollY > 4;

function line(signal) {
  const row = template.content.querySelector("tr").cloneNode(true);
  const at = (name) => $(`[data-field="${name}"]`, row);
  row.dataset.signal = signal.signal_id;
  const time = at("at");
  time.dateTime = signal.occurred_at;
  time.title = `${new Date(signal.occurred_at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  time.textContent = clock(signal.occurred_at);
  setPattern($(".pattern", row), signal.pattern);
  at("severity").className = `pill severity severity-${signal.severity.toLowerCase()}`;
  at("severity").textContent = label(signal.severity);
  at("account").textContent = signal.account_id ?? "–";
  if (signal.account_id) at("account").href = `/accounts/${encodeURIComponent(signal.account_id)}`;
  at("customer").textContent = signal.customer_id;
  at("customer").href = `/customers/${encodeURIComponent(signal.customer_id)}`;
  at("reason").textContent = signal.reason;
  at("observed").textContent = number(signal.observed);
  at("threshold").textContent = number(signal.threshold);
  return row;
}

function show(even = false) {
  const button = $("#arrivals");
  if (!even && held()) {
    button.dataset.state = waiting.length ? "some" : "none";
    setText($("#arrivals-text"), `${waiting.length > 999 ? "999+" : waiting.length} new, held`);
    return;
  }
  button.dataset.state = "none";
  body.prepend(...waiting.reverse().map(line));
  waiting = [];
  $$("tr", body).slice(MOST_ROWS).forEach((row) => row.remove());
}

if (table.dataset.liveList === "true") {
  let frame = 0;
  live({
    signal(signal) {
      if (known.has(signal.signal_id) || !fits(signal)) return;
      known.add(signal.signal_id);
      waiting.push(signal);
      waiting.splice(0, waiting.length - MOST_ROWS);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => show());
    },
    resume: () => { if (!held()) location.reload(); },
  });
  for (const event of ["mouseleave", "focusout"]) body.addEventListener(event, () => setTimeout(show));
  addEventListener("scroll", () => setTimeout(show), { passive: true });
  $("#arrivals").addEventListener("click", () => { scrollTo({ top: 0 }); show(true); });
}
