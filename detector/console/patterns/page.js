// The patterns page follows the stream by refreshing its live parts.

import { $, api, toast } from "../shell/core.js";
import { bind } from "../shell/keys.js";
import { live } from "../shell/live.js";
import { refresh } from "../shell/refresh.js";

live({ signal: refresh, case: refresh, resume: refresh });

document.addEventListener("click", async (event) => {
  const { release, rollBack } = event.target.closest("[data-release], [data-roll-back]")?.dataset ?? {};
  if (release) {
    await api("POST", `/v1/patterns/${release}/release`);
    toast("Released: it counts again from the next event on.", { kind: "good" });
  } else if (rollBack) {
    const { version } = await api("POST", `/v1/patterns/${rollBack}/rollback`);
    toast(`${version ? `Version ${version}` : "The rules' file"} is in force again.`, { kind: "good" });
  } else return;
  location.reload();
});
bind("Patterns", { b: ["Roll back the rule that the brake stopped", () => $("[data-roll-back]")?.click()] });
