// What every page's script builds on: the API, the live stream, toasts, and small DOM helpers.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const CSRF = $('meta[name="csrf-token"]')?.content ?? "";

/** An error of the API: `status`, and `message` as the server explained it. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

/**
 * Call the API and return its JSON (null where it sends none). An error is shown as a toast and
 * thrown; with `quiet` it is only thrown. A session that ended leads to the login page.
 */
export async function api(method, url, body, { quiet = false, signal } = {}) {
  const headers = { Accept: "application/json", "X-CSRF-Token": CSRF };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let error;
  try {
    const answer = await fetch(url, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    const data = text && /json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(text) : null;
    if (answer.ok) return data;
    if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    error = new ApiError(answer.status, data ?? {});
  } catch (failure) {
    if (failure.name === "AbortError") throw failure;
    error = new ApiError(0, { detail: "The server cannot be reached. Try again when the connection is back." });
  }
  if (!quiet) toast(error.message, { kind: "error" });
  throw error;
}

/** Show a short message; with `action: [label, run]` it has a button. Returns a function that closes it. */
export function toast(message, { kind = "info", action, seconds = kind === "error" ? 8 : 5 } = {}) {
  const node = h("div", { class: `toast toast-${kind}` }, h("span", {}, message));
  if (kind === "error") node.setAttribute("role", "alert");
  const close = () => node.remove();
  if (action) {
    node.append(h("button", { type: "button", class: "button button-small", onclick: () => { close(); action[1](); } }, action[0]));
  }
  node.append(h("button", { type: "button", class: "toast-close", "aria-label": "Dismiss", onclick: close }, "×"));
  $("#toasts").append(node);
  setTimeout(close, seconds * 1000);
  return close;
}

/** Make an element: h("a", {href, class, onclick}, ...children); strings become text, never HTML. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

/** Change text only where it differs, to avoid needless repaints and announcements. */
export function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

/** Give a level badge made by the server another level: class, shape and word. */
export function setLevel(badge, level) {
  badge.className = `level level-${level}`;
  const use = $("use", badge);
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#level-${level}`));
  $("span", badge).textContent = label(level);
}

/** Give a pattern chip made by the server another pattern; names and colours come from the page. */
export function setPattern(chip, id) {
  const look = looks()[id] ?? { title: id, colour: "p-0" };
  chip.className = `pattern ${look.colour}`;
  chip.dataset.pattern = id;
  $("span", chip).textContent = look.title;
}

/** JSON embedded in the page: <script type="application/json" id="…">. */
export function pageData(id) {
  const node = document.getElementById(id);
  return node ? JSON.parse(node.textContent) : null;
}

let known;
/** How each pattern is shown: {id: {title, colour}}. */
function looks() {
  return (known ??= Object.fromEntries((pageData("looks") ?? []).map((look) => [look.id, look])));
}

// Numbers are formatted as on the server (formatting.py).
const formats = new Map();
const grouped = (digits) => {
  if (!formats.has(digits)) formats.set(digits, new Intl.NumberFormat("en-AU", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  return formats.get(digits);
};
export const number = (value, digits = 0) => (value == null ? "–" : grouped(digits).format(value));
export const money = (value) => (value == null ? "–" : `${value < 0 ? "−" : ""}$${grouped(2).format(Math.abs(value))}`);
export const dollars = (value) => (value == null ? "–" : `${value < 0 ? "−" : ""}$${grouped(0).format(Math.abs(value))}`);
export const percent = (value, digits = 1) => (value == null ? "–" : `${grouped(digits).format(value)}%`);
const ACRONYMS = new Set(["aml", "smr", "kyc", "cnp", "pep", "ip", "api", "atm", "pos", "mfa", "pin"]);
export const label = (constant) => {
  const words = String(constant || "–").toLowerCase().split("_");
  const said = words.map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word)).join(" ");
  return said.charAt(0).toUpperCase() + said.slice(1);
};
