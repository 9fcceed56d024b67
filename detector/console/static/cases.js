// What the queue and the case page share: confirming an action, sending it, and taking it back.

import { $, $$, ApiError, api, label, toast } from "./core.js";
import { bind } from "./keys.js";

const QUEUE_KEY = "queue"; // the filters that "next" goes by
const SAID_KEY = "said"; // a toast that outlives the page

// What the server refuses has been shown by then.
addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof ApiError) event.preventDefault();
});

/** Do something to one case; resolves to its review, rejects after the error was shown. */
export const act = (caseId, body) => api("POST", `/v1/cases/${encodeURIComponent(caseId)}/actions`, body);

/** Do the same to many cases; resolves to {done, refused}. */
export const actOnAll = (caseIds, action) => api("POST", "/v1/cases/actions", { case_ids: caseIds, action });

/** Take back one's own last action on a case, then run `then`. */
export async function undo(caseId, then) {
  const review = await act(caseId, { action: "undo" });
  toast(`${caseId}: taken back, now ${label(review.status).toLowerCase()}`, { kind: "good" });
  then?.(review);
}

const PAST = {
  claim: "claimed", release: "given back", assign: "assigned", note: "note kept", escalate: "escalated",
  instruct: "instruction sent", approve: "approved and closed", reject: "sent back to work", reopen: "reopened",
};
/** What an action did, in a few words. */
export function said(caseId, body, review) {
  if (body.action !== "close") return `${caseId}: ${PAST[body.action]}`;
  const as = label(body.disposition).toLowerCase();
  return review.status === "CLOSED" ? `${caseId}: closed as ${as}` : `${caseId}: waits for approval as ${as}`;
}

/** Say what was done, with a button that takes it back. */
export function offerUndo(caseId, message, then) {
  toast(message, { kind: "good", seconds: 10, action: ["Undo", () => undo(caseId, then)] });
}

/** Say it on the next page; with a case, it can be taken back from there. */
export function sayLater(message, caseId = null) {
  sessionStorage.setItem(SAID_KEY, JSON.stringify({ caseId, message }));
}

/** Show what the page before had to say. */
export function sayNow() {
  const kept = sessionStorage.getItem(SAID_KEY);
  sessionStorage.removeItem(SAID_KEY);
  if (!kept) return;
  const { caseId, message } = JSON.parse(kept);
  if (!caseId) toast(message);
  else offerUndo(caseId, message, () => location.assign(`/cases/${encodeURIComponent(caseId)}`));
}

/** Remember by which filters the queue is worked. */
export const keepQueue = (search) => sessionStorage.setItem(QUEUE_KEY, search);
/** The address of the queue with the filters it was left with. */
export const queueHref = () => `/cases${sessionStorage.getItem(QUEUE_KEY) ?? ""}`;

/** Claim the first case of the queue that nobody has, and open it. */
export async function claimNext() {
  const { case_id: next } = await api("POST", "/v1/queue/next", filtersOf(sessionStorage.getItem(QUEUE_KEY) ?? ""));
  if (next) location.assign(`/cases/${encodeURIComponent(next)}`);
  return next;
}

const LISTS = ["level", "pattern", "status"];
function filtersOf(search) {
  const filters = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (name === "cursor" || value === "") continue;
    if (LISTS.includes(name)) (filters[name] ??= []).push(value);
    else filters[name] = name.endsWith("_age") ? Number(value) : value;
  }
  return filters;
}

/**
 * Ask in the dialog of an action. `about` says what it touches; `values` fill the fields. Resolves
 * to the body of the request, or null when it was cancelled.
 */
export function ask(action, about, values = {}) {
  const dialog = $(`#dialog-${action}`);
  const form = $("form", dialog);
  form.reset();
  $("[data-about]", dialog).textContent = about;
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (field) field.value = value;
  }
  dialog.showModal();
  // With everything filled in, one Enter confirms; otherwise the first field is next.
  const open = $$("input, select, textarea", form).find((field) => field.required && !form.elements[field.name].value);
  (open ?? $("[data-confirm]", form)).focus();
  return new Promise((resolve) => {
    const finish = (value) => {
      form.removeEventListener("submit", submit);
      dialog.removeEventListener("close", cancel);
      if (dialog.open) dialog.close();
      resolve(value);
    };
    const submit = (event) => {
      event.preventDefault();
      const body = { action };
      for (const [name, value] of new FormData(form)) if (value !== "") body[name] = value;
      finish(body);
    };
    const cancel = () => finish(null);
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", cancel);
  });
}

// In a text, Ctrl+Enter (or Cmd+Enter) confirms.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("dialog textarea")) {
    event.target.form.requestSubmit();
  }
});

if ($("#dialog-close")) {
  const choices = $$('#dialog-close input[name="disposition"]');
  bind("Closing", Object.fromEntries(choices.map((choice, n) => [
    String(n + 1), [label(choice.value), () => { choice.checked = true; $("#dialog-close [data-confirm]").focus(); }],
  ])), { dialog: "#dialog-close" });
}

/** The five dispositions, in the order of the keys 1 to 5. */
export const DISPOSITIONS = $$('#dialog-close input[name="disposition"]').map((choice) => choice.value);
