// The theme: system, light or dark. Stored in a cookie, so that the server renders it from the start.

import { $ } from "./core.js";

const ORDER = ["auto", "light", "dark"];
const NAMES = { auto: "as the system", light: "light", dark: "dark" };
const root = document.documentElement;

function show() {
  const button = $("#theme-toggle");
  button.title = `Theme: ${NAMES[root.dataset.theme]}`;
  button.setAttribute("aria-label", button.title);
}

$("#theme-toggle").addEventListener("click", () => {
  root.dataset.theme = ORDER[(ORDER.indexOf(root.dataset.theme) + 1) % ORDER.length];
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
  show();
});
show();
