// Adds an entry; the list's page and that of a case use it.

import { api, toast } from "../shell/core.js";

/** Add a value to a list as the dialog says, and offer to take it back. */
export async function addEntry(list, { value, reason, days }) {
  const body = { value, reason, days: days ? Number(days) : null };
  const made = await api("POST", `/v1/lists/${list}/entries`, body);
  toast(`${value} is listed from the next event on.`, {
    kind: "good", seconds: 10,
    action: ["Undo", async () => { await api("DELETE", `/v1/list-entries/${made.entry_id}`); toast("Entry ended", { kind: "good" }); }],
  });
}
