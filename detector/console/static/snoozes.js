// Snoozes can be ended before their time.

import { api, toast } from "./core.js";
import { refreshNow } from "./refresh.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-end]");
  if (!button) return;
  await api("DELETE", `/v1/snoozes/${button.closest("tr").dataset.snooze}`);
  toast("The snooze is over.", { kind: "good" });
  refreshNow();
});
