// Times that tick: <time data-relative> says how long ago, <time data-due> how long is left.

import { $$, setText } from "./core.js";

const STEPS = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
const SOON_S = 300;

/** A span of time as formatting.py has it: `1 h 5 min`, `3 d`. */
export function duration(seconds) {
  if (seconds == null) return "–";
  const left = Math.round(seconds);
  for (let i = 0; i < STEPS.length; i++) {
    const [size, unit] = STEPS[i];
    if (left < size) continue;
    const whole = Math.floor(left / size);
    if (whole === 1 && i + 1 < STEPS.length) {
      const rest = Math.floor((left % size) / STEPS[i + 1][0]);
      if (rest) return `${whole} ${unit} ${rest} ${STEPS[i + 1][1]}`;
    }
    return `${whole} ${unit}`;
  }
  return "0 s";
}

/** How long ago a moment is, or how far ahead. */
export function ago(at, now = Date.now()) {
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

const day = new Intl.DateTimeFormat("en-GB", { timeZone: document.documentElement.dataset.zone, timeStyle: "medium" });
/** The time of day where the bank is. */
export const clock = (iso) => day.format(new Date(iso));

/** Set a <time> to another moment. */
export function setTime(node, iso) {
  node.dateTime = iso;
  node.title = `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  if ("relative" in node.dataset || "due" in node.dataset) tick(node);
  else setText(node, clock(iso));
}

function tick(node) {
  if (!node.dateTime) return;
  const at = Date.parse(node.dateTime);
  if ("due" in node.dataset) {
    const left = (at - Date.now()) / 1000;
    setText(node, left >= 0 ? `${duration(left)} left` : `${duration(-left)} overdue`);
    node.dataset.urgency = left < 0 ? "over" : left < SOON_S ? "soon" : "fine";
  } else setText(node, ago(at));
}

const tickAll = () => $$("time[data-relative], time[data-due]").forEach(tick);
setInterval(() => { if (!document.hidden) tickAll(); }, 1_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tickAll(); });
tickAll();
