// The draft of a suspicious matter report; every read is audited.

import { $, $$, api, h, money, toast } from "../shell/core.js";
import { clock } from "../shell/time.js";

const ROLES = ["SUSPECT", "VICTIM", "ASSOCIATE", "COUNTERPARTY"];
const dialog = $("#dialog-smr");
const form = $("form", dialog);
const minutes = (iso) => (iso ? iso.slice(0, 16) : "");
const input = (attributes) => h("input", { class: "input input-small", ...attributes });

function party(one = { role: "SUSPECT", account_ids: [] }) {
  return h("tr", { "data-party": true },
    h("td", {}, h("select", { class: "input input-small", "data-of": "role", "aria-label": "Role" }, ROLES.map((role) => h("option", { selected: role === one.role }, role)))),
    h("td", {}, input({ "data-of": "name", value: one.name ?? "", "aria-label": "Full name", placeholder: "Full name", maxlength: 200 })),
    h("td", {}, input({ "data-of": "customer_id", value: one.customer_id ?? "", "aria-label": "Customer", placeholder: "Customer", maxlength: 200 })),
    h("td", {}, input({ "data-of": "account_ids", value: (one.account_ids ?? []).join(", "), "aria-label": "Accounts", placeholder: "Accounts" })),
    h("td", {}, input({ "data-of": "description", value: one.description ?? "", "aria-label": "Description", placeholder: "Description", maxlength: 2000 })),
    h("td", {}, h("button", { type: "button", class: "button button-small button-quiet", "aria-label": "Remove", onclick: (e) => e.target.closest("tr").remove() }, "×")));
}
$("#smr-add").addEventListener("click", () => $("#smr-parties").append(party()));

function show(report) {
  const { draft } = report;
  $("#smr-parties").replaceChildren(...draft.parties.map(party));
  form.elements.grounds.value = draft.grounds;
  form.elements.formed.value = minutes(draft.suspicion_formed_at && new Date(draft.suspicion_formed_at).toISOString());
  form.elements.terrorism.checked = draft.terrorism_financing;
  form.elements.earlier.value = draft.earlier_reports.join(", ");
  $("#smr-due").textContent = report.due_at
    ? `Due ${report.due_at.slice(0, 16).replace("T", " ")} UTC; business days of ${report.timezone}.`
    : "The clock starts when the suspicion formed; enter the time.";
  $("#smr-saved").textContent = report.updated_at ? `Saved by ${report.updated_by}, ${report.updated_at.slice(0, 16).replace("T", " ")} UTC` : "Not saved yet; filled in from the events";
  $("#smr-cash").replaceChildren(...report.transactions.map((t) => h("tr", {},
    h("td", { class: "num" }, `${t.occurred_at.slice(0, 10)} ${clock(t.occurred_at)}`), h("td", {}, t.transaction_type.replaceAll("_", " ").toLowerCase()),
    h("td", {}, [t.channel, t.city].filter(Boolean).join(", ")), h("td", { class: "num" }, money(Number(t.amount))))));
}

const listed = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);
function edited() {
  const parties = $$("[data-party]", form).map((row) => {
    const value = (name) => $(`[data-of="${name}"]`, row).value.trim() || null;
    return { role: value("role"), name: value("name"), customer_id: value("customer_id"), account_ids: listed(value("account_ids") ?? ""), description: value("description") };
  });
  const formed = form.elements.formed.value;
  return {
    parties, grounds: form.elements.grounds.value, terrorism_financing: form.elements.terrorism.checked,
    suspicion_formed_at: formed ? `${formed}:00Z` : null, earlier_reports: listed(form.elements.earlier.value),
  };
}

/** Open the draft of a case's report. */
export async function openReport(caseId) {
  const url = `/v1/cases/${encodeURIComponent(caseId)}/smr`;
  show(await api("GET", url));
  dialog.showModal();
  form.onsubmit = async (event) => {
    event.preventDefault();
    show(await api("PUT", url, edited()));
    toast("Draft saved", { kind: "good" });
  };
}
