// What the queue and the case page share: confirming an action, sending it, undoing it.

import { $, $$, ApiError, api, label, toast } from "./core.js";
import { bind } from "./keys.js";

const QUEUE_KEY = "queue"; // the filters of the queue that "next" claims from
const MESSAGE_KEY = "message"; // a toast for the next page

// Errors of the API have been shown as toasts already.
addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof ApiError) event.preventDefault();
});

/** Take an action on a case; resolves to its review, rejects after the error was shown. */
export const act = (caseId, body) => api("POST", `/v1/cases/${encodeURIComponent(caseId)}/actions`, body);

/** Take one action on many cases; resolves to {done, refused}. */
export const actOnAll = (caseIds, action) => api("POST", "/v1/cases/actions", { case_ids: caseIds, action });

/** Undo one's own last action on a case, then run `then`. */
export async function undo(caseId, then) {
  const review = await act(caseId, { action: "undo" });
  toast(undone(review), { kind: "good" });
  then?.(review);
}

/** Undo one's own last decision, and open its case. */
export async function undoDecision() {
  const review = await api("POST", "/v1/cases/undo");
  toastLater(undone(review));
  location.assign(`/cases/${encodeURIComponent(review.case_id)}`);
}

const undone = (review) => `${review.case_id}: ${review.summary}, now ${label(review.status).toLowerCase()}`;

/** Show what was done, with an Undo button. */
export function offerUndo(caseId, message, then) {
  toast(message, { kind: "good", seconds: 10, action: ["Undo", () => undo(caseId, then)] });
}

/** Show a message on the next page; with a case, it has an Undo button. */
export function toastLater(message, caseId = null) {
  sessionStorage.setItem(MESSAGE_KEY, JSON.stringify({ caseId, message }));
}

/** Show the message that the page before left. */
export function toastNow() {
  const stored = sessionStorage.getItem(MESSAGE_KEY);
  sessionStorage.removeItem(MESSAGE_KEY);
  if (!stored) return;
  const { caseId, message } = JSON.parse(stored);
  if (!caseId) toast(message);
  else offerUndo(caseId, message, () => location.assign(`/cases/${encodeURIComponent(caseId)}`));
}

/** Store the filters of the queue. */
export const keepQueue = (search) => sessionStorage.setItem(QUEUE_KEY, search);
/** The URL of the queue with the filters last used. */
export const queueHref = () => `/cases${sessionStorage.getItem(QUEUE_KEY) ?? ""}`;

/** Claim the first unclaimed case of the queue, and open it. */
export async function claimNext() {
  const { case_id: next } = await api("POST", "/v1/queue/next", filtersOf(sessionStorage.getItem(QUEUE_KEY) ?? ""));
  if (next) location.assign(`/cases/${encodeURIComponent(next)}`);
  return next;
}

const LISTS = ["level", "pattern", "status", "hide"];
/** The filters of a query string, as the API takes them. */
export function filtersOf(search) {
  const filters = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (name === "cursor" || value === "") continue;
    if (LISTS.includes(name)) (filters[name] ??= []).push(value);
    else filters[name] = name.endsWith("_age") ? Number(value) : value;
  }
  return filters;
}

/**
 * Open the dialog of an action. `about` says which cases it affects; `values` fill the fields.
 * Resolves to the body of the request, or null when it was cancelled.
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
