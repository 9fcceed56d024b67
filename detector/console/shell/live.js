// One connection to /v1/stream for the whole page, and the indicator that says how fresh it is.

import { $, setText } from "./core.js";
import { duration } from "./time.js";

const EVENTS = ["signal", "case", "review", "viewers", "pulse"];
const STALE_AFTER_MS = 3_000;
const IDLE_AFTER_MS = 10_000;
const HIDDEN_CLOSES_AFTER_MS = 30_000;
const listeners = { signal: [], case: [], review: [], viewers: [], pulse: [], resume: [] };
const shown = $("#case")?.dataset.case;
// What stands until it changes: a part that listens later gets the last of it.
const standing = { viewers: null };

let source = null;
let retryMs = 1_000;
let retryTimer = 0;
let hiddenTimer = 0;
let lastAt = 0;
let lagMs = 0;
let interrupted = false;

/**
 * Listen to the stream: live({pulse(data), signal(data), case(data), review(data), viewers(data),
 * resume()}). `resume` is called when the stream is back after a gap; what happened meanwhile must
 * be fetched. All parts of a page share one connection.
 */
export function live(handlers) {
  for (const [name, handler] of Object.entries(handlers)) {
    listeners[name].push(handler);
    if (standing[name]) handler(standing[name]);
  }
  if (!source) open();
}

/** Whether events arrive at the moment. */
const isLive = () => performance.now() - lastAt < STALE_AFTER_MS;

function open() {
  clearTimeout(retryTimer);
  source = new EventSource(shown ? `/v1/stream?case_id=${encodeURIComponent(shown)}` : "/v1/stream");
  source.addEventListener("open", () => {
    retryMs = 1_000;
    if (interrupted) listeners.resume.forEach((handler) => handler());
    interrupted = false;
  });
  source.addEventListener("error", () => {
    interrupted = true;
    // While CONNECTING the browser tries again by itself; after a refusal it does not.
    if (source?.readyState === EventSource.CLOSED) {
      retryTimer = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, 15_000);
    }
    show();
  });
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      lastAt = performance.now();
      if (name === "pulse") lagMs = data.lag_ms ?? 0;
      if (name in standing) standing[name] = data;
      for (const handler of listeners[name]) handler(data);
      if (name === "pulse") show();
    });
  }
}

function close() {
  source?.close();
  source = null;
  interrupted = true;
}

// Browsers allow six connections to a server: a hidden tab must not hold one.
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = setTimeout(close, HIDDEN_CLOSES_AFTER_MS);
  else if (!source) open();
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted && !source) open(); });

function show() {
  const box = $("#live");
  if (!box) return;
  const silent = (performance.now() - lastAt) / 1000;
  const state = !isLive() ? (lastAt ? "stale" : "connecting") : lagMs > IDLE_AFTER_MS ? "idle" : "live";
  if (box.dataset.state !== state) box.dataset.state = state;
  const behind = Math.max(0, lagMs) / 1000;
  const said = { live: `Live · ${behind.toFixed(1)} s`, idle: `Idle · ${duration(behind)}`, stale: `Stale · ${Math.round(silent)} s`, connecting: "Connecting" };
  setText($("#live-text"), said[state]);
  box.title = {
    idle: `Connected, but the newest event is ${duration(behind)} old: no events arrive`,
    live: `Live: ${behind.toFixed(1)} s behind the events`,
    stale: `Nothing received for ${Math.round(silent)} s; reconnecting`,
    connecting: "Connecting to the live stream",
  }[state];
}

if ($("#live")) {
  setInterval(show, 1_000);
  live({});
}
