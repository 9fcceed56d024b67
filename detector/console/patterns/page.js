// The patterns page follows the stream by refreshing its live parts.

import { api, toast } from "../shell/core.js";
import { live } from "../shell/live.js";
import { refresh } from "../shell/refresh.js";

live({ signal: refresh, case: refresh, resume: refresh });

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-release]");
  if (!button) return;
  await api("POST", `/v1/patterns/${button.dataset.release}/release`);
  toast("Released: it counts again from the next event on.", { kind: "good" });
  location.reload();
});
