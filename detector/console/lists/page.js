// Adding and ending entries of lists.

import { api, toast } from "../shell/core.js";
import { ask } from "../shell/cases.js";
import { refreshNow } from "../shell/refresh.js";
import { addEntry } from "./add.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-add], [data-end]");
  if (!button) return;
  const { add, title } = button.dataset;
  if (add) {
    const asked = await ask("list", title);
    if (asked) await addEntry(add, asked);
  } else {
    const { entry, value } = button.closest("tr").dataset;
    await api("DELETE", `/v1/list-entries/${entry}`);
    toast(`${value} is off the list from the next event on.`, { kind: "good" });
  }
  refreshNow();
});
