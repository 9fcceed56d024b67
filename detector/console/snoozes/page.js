// Ending snoozes early.

import { api, toast } from "../shell/core.js";
import { refreshNow } from "../shell/refresh.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-end]");
  if (!button) return;
  await api("DELETE", `/v1/snoozes/${button.closest("tr").dataset.snooze}`);
  toast("Snooze ended.", { kind: "good" });
  refreshNow();
});
