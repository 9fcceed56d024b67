// Plotly, loaded once when a page first needs it, in the colours of the theme.

import { colour, h } from "./core.js";

let loading;
/** Plotly; its script is half the console's weight, so pages are painted before it comes. */
export function plotly() {
  return (loading ??= new Promise((resolve, reject) => {
    const script = h("script", { src: new URL("plotly.min.js", import.meta.url).href });
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error("Plotly's script cannot be loaded.")));
    document.head.append(script);
  }));
}

/** What all charts share: no frame, quiet lines, our font and colours. */
export function layout(own = {}) {
  const axis = {
    gridcolor: colour("--border"), linecolor: colour("--border"), zerolinecolor: colour("--border"),
    tickfont: { color: colour("--text-3") }, fixedrange: true, automargin: false,
  };
  const { xaxis, yaxis, yaxis2, ...rest } = own;
  const style = getComputedStyle(document.body);
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: style.fontFamily, size: parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.82, color: colour("--text-2") },
    hoverlabel: { bgcolor: colour("--surface"), bordercolor: colour("--border"), font: { color: colour("--text") } },
    margin: { l: 42, r: 12, t: 8, b: 26 },
    xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis },
    ...(yaxis2 ? { yaxis2: { ...axis, ...yaxis2 } } : {}),
    ...rest,
  };
}

export const config = { displayModeBar: false, responsive: true };
