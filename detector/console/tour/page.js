// Playing the tour: the scenes appear one after the other.

import { $, $$ } from "../shell/core.js";

const STEP_MS = 1_800;

$("#play").addEventListener("click", () => {
  $$(".tour li").forEach((scene, n) => {
    scene.dataset.waiting = "";
    setTimeout(() => {
      delete scene.dataset.waiting;
      scene.scrollIntoView({ block: "nearest" });
    }, n * STEP_MS);
  });
});
