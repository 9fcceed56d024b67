// The score of an account over time: a step line over the bands of the levels.

import { $, colour, pageData } from "../shell/core.js";
import { config, layout, plotly } from "../shell/charts.js";

const { points, levels, window_seconds: span } = pageData("scores");
const box = $("#score-chart");

async function draw() {
  const Plotly = await plotly();
  const bands = levels.map(({ level, from, to }) => ({
    type: "rect", xref: "paper", x0: 0, x1: 1, y0: from, y1: to, layer: "below", line: { width: 0 }, fillcolor: colour(`--${level}-tint`),
  }));
  const x = points.map((point) => point.at);
  const first = new Date(Date.parse(x[0]) - span * 1000);
  const last = new Date(Date.parse(x.at(-1)) + span * 1000);
  await Plotly.react(box, [{
    type: "scatter", mode: "lines", line: { shape: "hv", color: colour("--accent"), width: 2 },
    x: [first, ...x, last], y: [0, ...points.map((point) => point.score), 0], hovertemplate: "%{y:.2f}<extra></extra>",
  }], layout({
    shapes: bands, hovermode: "x", margin: { l: 42, r: 12, t: 8, b: 40 },
    xaxis: { type: "date", hoverformat: "%d %b %H:%M:%S UTC", nticks: 7, showgrid: false, fixedrange: false, range: [first, last] },
    yaxis: { range: [0, 1.04], tickvals: [0, ...levels.map((band) => band.from), 1], tickformat: ".2f" },
  }), config);
}
document.addEventListener("themechange", draw);
draw();
