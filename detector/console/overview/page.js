// The first screen is live: figures, chart and feed by the stream, the rest by refreshing parts.

import { $, $$, dollars, h, number, pageData, percent, setPattern, setText } from "../shell/core.js";
import { live } from "../shell/live.js";
import { refresh } from "../shell/refresh.js";
import { duration, setTime } from "../shell/time.js";

const MINUTES = 60;
const REPLAY_MS = 10_000;
const start = pageData("overview");
let minutes = start.minutes;
let signals = start.signals;

// Figures

const AS = {
  number: (value) => number(value),
  percent2: (value) => percent(value, 2),
  dollars,
  bytes: (value) => {
    if (value == null) return "–";
    const power = Math.min(3, Math.floor(Math.log10(Math.max(Math.abs(value), 1)) / 3));
    return `${number(value / 1000 ** power, power ? 1 : 0)} ${["B", "kB", "MB", "GB"][power]}`;
  },
  ms: (value) => (value == null ? "–" : `${number(value, value < 10 ? 1 : 0)} ms`),
  lag: (value) => (value == null ? "–" : value < 1000 ? `${Math.max(0, Math.round(value))} ms` : duration(value / 1000)),
};
const at = (object, path) => path.split(".").reduce((value, key) => value?.[key], object);

function showFigures(pulse) {
  const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
  const figures = { ...pulse, open_cases: sum(pulse.open_cases_by_level) };
  for (const node of $$("[data-pulse]")) {
    const path = node.dataset.pulse;
    const missing = /_by_(level|pattern)\./.test(path) ? 0 : null;
    setText(node, AS[node.dataset.as](at(figures, path) ?? missing));
  }
  const alarms = $("#alarms");
  if (alarms.children.length !== pulse.alarms.length || pulse.alarms.some((text, n) => alarms.children[n].textContent.trim() !== text)) {
    alarms.replaceChildren(...pulse.alarms.map((text) => h("li", {}, text)));
  }
  setText($("#health"), pulse.watermark ? "Running" : "Waiting for events");
}

// The last hour

const SERIES = {
  transactions: (m) => m.transactions,
  flagged: (m) => m.flagged,
  rate: (m) => (m.transactions ? (100 * m.flagged) / m.transactions : 0),
};

const lastMinute = () => Date.parse(minutes.at(-1).minute);

function takeMinutes(newest) {
  const byMinute = new Map([...minutes, ...newest].map((m) => [Date.parse(m.minute), m]));
  const last = Math.max(...byMinute.keys());
  const first = Math.max(Math.min(...byMinute.keys()), last - (MINUTES - 1) * 60_000);
  minutes = [];
  for (let minute = first; minute <= last; minute += 60_000) {
    minutes.push(byMinute.get(minute) ?? { minute: new Date(minute).toISOString(), transactions: 0, flagged: 0, signals: {} });
  }
  for (const svg of $$("[data-spark]")) {
    const values = minutes.slice(0, -1).map(SERIES[svg.dataset.spark]); // the newest is not whole
    const peak = Math.max(...values) || 1;
    const x = (n) => ((MINUTES - 1 - values.length + n) * 100) / (MINUTES - 2);
    $("polyline", svg).setAttribute("points", values.map((v, n) => `${x(n).toFixed(1)},${(19 - (18 * v) / peak).toFixed(1)}`).join(" "));
  }
}

// Feed: the rows stay in place and their content moves on; held under the pointer.

const feed = $("#feed");
const rows = $$(".feed-item", feed);
const KEPT = 3 * rows.length;
let waiting = []; // the newest last, never more than there are rows
let held = 0;
let flush = 0;
const isHeld = () => feed.matches(":hover") || feed.contains(document.activeElement) || feed.scrollTop > 8;

function showSignals() {
  if (isHeld()) {
    const state = $("#feed-state");
    state.hidden = held === 0;
    setText(state, `${held > 99 ? "99+" : held} new, held`);
    return;
  }
  $("#feed-state").hidden = true;
  held = 0;
  if (!waiting.length) return;
  const newest = waiting.reverse();
  waiting = [];
  const seen = new Set();
  signals = [...newest, ...signals]
    .filter((s) => !seen.has(s.signal_id) && seen.add(s.signal_id))
    .sort((a, b) => Date.parse(b.occurred_at) - Date.parse(a.occurred_at) || (a.signal_id < b.signal_id ? 1 : -1))
    .slice(0, KEPT);
  // A burst is one row: its newest signal, and how many there are.
  const groups = Object.values(Object.groupBy(signals, (s) => `${s.pattern} ${s.account_id ?? s.customer_id}`));
  rows.forEach((row, n) => (groups[n] ? fillRow(row, groups[n][0], groups[n].length) : (row.hidden = true)));
  $("#feed-empty")?.remove();
}

function take(newer) {
  held += newer.length;
  waiting = [...waiting, ...newer].slice(-rows.length);
  cancelAnimationFrame(flush);
  flush = requestAnimationFrame(showSignals);
}

function fillRow(row, signal, count) {
  row.hidden = false;
  setText($('[data-field="count"]', row), count > 1 ? `×${count}` : "");
  $("a", row).href = signal.account_id ? `/accounts/${encodeURIComponent(signal.account_id)}` : `/customers/${encodeURIComponent(signal.customer_id)}`;
  setPattern($(".pattern", row), signal.pattern);
  setText($('[data-field="who"]', row), signal.account_id ?? signal.customer_id);
  setText($('[data-field="reason"]', row), signal.reason);
  setTime($("time", row), signal.occurred_at);
}

for (const event of ["mouseleave", "focusout", "scroll"]) feed.addEventListener(event, () => setTimeout(showSignals));

// The map, once more from the oldest trip to the newest, in ten seconds

$("#replay-trips").addEventListener("click", ({ target: button }) => {
  const trips = $$(".trip").map((node) => [Date.parse(node.dataset.at), node]);
  const [first, last] = [Math.min(...trips.map(([at]) => at)), Math.max(...trips.map(([at]) => at))];
  button.disabled = true;
  for (const [at, node] of trips) {
    node.style.visibility = "hidden";
    setTimeout(() => { node.style.visibility = ""; }, 500 + (REPLAY_MS * (at - first)) / (last - first || 1));
  }
  setTimeout(() => { button.disabled = false; }, REPLAY_MS + 600);
});

// The stream

let levels = "";
live({
  pulse(pulse) {
    // Scores fall and cases close without any signal.
    const now = JSON.stringify([pulse.accounts_by_level, pulse.open_cases_by_level]);
    if (levels && levels !== now) refresh();
    levels = now;
    showFigures(pulse);
    const newest = lastMinute();
    takeMinutes(pulse.minutes);
    if (lastMinute() !== newest) refresh(); // the chart has another minute
  },
  signal(signal) {
    take([signal]);
    refresh();
  },
  case: refresh,
  resume: refresh,
});

// After a gap the reloaded page also contains the signals and minutes that were missed.
document.addEventListener("refreshed", ({ detail: fresh }) => {
  const data = JSON.parse(fresh.getElementById("overview").textContent);
  const known = new Set([...signals, ...waiting].map((s) => s.signal_id));
  const missed = data.signals.filter((s) => !known.has(s.signal_id));
  if (missed.length) take(missed.reverse());
  takeMinutes(data.minutes);
});
