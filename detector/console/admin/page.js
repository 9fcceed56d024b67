// Users and keys: every change goes through the API, then the lists are reloaded.

import { $, api, toast } from "../shell/core.js";
import { ask } from "../shell/dialogs.js";
import { refreshNow } from "../shell/refresh.js";

function showSecret(title, text, secret) {
  $("#secret-title").textContent = title;
  $("#secret-text").textContent = text;
  $("#secret").value = secret;
  $("#secret-dialog").showModal();
  $("#secret").select();
}

$("#secret-copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("#secret").value);
  toast("Copied.", { kind: "good", seconds: 2 });
});
// A secret shown once must not stay in the page, nor be lost to a stray Escape.
$("#secret-dialog").addEventListener("cancel", (event) => event.preventDefault());
$("#secret-dialog").addEventListener("close", () => { $("#secret").value = ""; });

/** Open a dialog with a form; what it sends is its fields. */
function form(button, dialog, send) {
  const node = $(`${dialog} form`);
  $(button).addEventListener("click", () => { node.reset(); $(dialog).showModal(); });
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    await send(Object.fromEntries(new FormData(node)));
  });
}

form("#add-user", "#user-dialog", async (body) => {
  const added = await api("POST", "/v1/users", body);
  $("#user-dialog").close();
  refreshNow();
  showSecret(`User ${added.user.username} added`, "Hand over this one-time password; it has to be changed at the first sign-in.", added.one_time_password);
});

form("#add-key", "#key-dialog", async (body) => {
  const added = await api("POST", "/v1/keys", body);
  $("#key-dialog").close();
  refreshNow();
  showSecret(`Key for ${added.key.name}`, "Send it with every request as Authorization: Bearer, followed by the key.", added.secret);
});

async function change(user, body, said) {
  try {
    const answer = await api("PATCH", `/v1/users/${encodeURIComponent(user)}`, body);
    toast(said, { kind: "good" });
    return answer;
  } finally {
    refreshNow(); // also after an error, to show the current state
  }
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-role]")) return;
  const { user } = event.target.closest("[data-user]").dataset;
  change(user, { role: event.target.value }, `${user} now has the role ${event.target.selectedOptions[0].text.toLowerCase()} and has to sign in again.`);
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-reset], [data-disable], [data-revoke]");
  if (!button) return;
  const { user, key, name } = button.closest("tr").dataset;
  if ("revoke" in button.dataset) {
    if (!(await ask({ title: `Revoke the key of ${name}?`, text: "The program loses access immediately. This cannot be undone.", action: "Revoke" }))) return;
    await api("DELETE", `/v1/keys/${key}`);
    toast(`Key of ${name} revoked.`, { kind: "good" });
    refreshNow();
  } else if ("reset" in button.dataset) {
    if (!(await ask({ title: `Reset the password of ${user}?`, text: "Their sessions end. You get a one-time password to hand over.", action: "Reset" }))) return;
    const answer = await change(user, { reset_password: true }, `${user} has a one-time password.`);
    showSecret(`New password of ${user}`, "Hand it over; it has to be changed at the next sign-in.", answer.one_time_password);
  } else {
    const disabled = button.dataset.disable === "true";
    if (disabled && !(await ask({ title: `Disable ${user}?`, text: "Their sessions end and they cannot sign in until you enable them again.", action: "Disable" }))) return;
    await change(user, { disabled }, disabled ? `${user} is disabled.` : `${user} is enabled.`);
  }
});
