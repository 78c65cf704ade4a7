// What is drawn over a picture: outlines, where other planes cross, the crosshair, measurements.

const MEASURE = "#8ef0c0";
const CROSS = "#ffd166";
const OTHER = "#7f93a6";

function drawLines(pane, state, where, drawing) {
  const { context } = pane;
  context.save();
  context.beginPath();
  context.rect(0, 0, pane.width, pane.height);
  context.clip();
  for (const { style, loops } of drawing.outlines) trace(pane, state, loops, style, drawing.opacity);
  if (drawing.levels) levelNames(pane, state, where, drawing.levels);
  for (const line of drawing.crossings) crossLine(pane, state, line);
  if (drawing.point) crosshair(pane, state, project(where, drawing.point), drawing.away);
  for (const one of drawing.measures) measurement(pane, state, one);
  context.restore();
}

function trace(pane, state, loops, style, opacity) {
  const { context } = pane;
  context.save();
  Object.assign(context, { globalAlpha: opacity, strokeStyle: style.colour, lineWidth: style.width, lineJoin: "round" });
  context.setLineDash(style.dash);
  context.beginPath();
  for (const loop of loops) {
    loop.forEach((spot, index) => {
      const [x, y] = pane.toScreen(spot, state);
      if (index) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
  }
  context.stroke();
  context.restore();
}

function crossLine(pane, state, { ends, active }) {
  const { context } = pane;
  const [from, to] = ends.map((end) => pane.toScreen(end, state));
  context.save();
  Object.assign(context, { strokeStyle: active ? CROSS : OTHER, lineWidth: active ? 1.4 : 1 });
  context.setLineDash(active ? [9, 4] : [2, 4]);
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.restore();
}

// A cross that leaves its middle free; hollow in planes that do not hold the point itself.
function crosshair(pane, state, spot, away) {
  const { context } = pane;
  const [x, y] = pane.toScreen(spot, state);
  context.save();
  Object.assign(context, { strokeStyle: CROSS, lineWidth: 1.2, globalAlpha: away ? 0.5 : 1 });
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + dx * 5, y + dy * 5);
    context.lineTo(x + dx * 14, y + dy * 14);
  }
  context.stroke();
  context.restore();
}

function measureWords({ kind, points }) {
  if (kind === "area") return `${polygonArea(points).toFixed(1)} mm²`;
  const [[x, y], [otherX, otherY]] = points;
  return `${Math.hypot(otherX - x, otherY - y).toFixed(1)} mm`;
}

function measurement(pane, state, one) {
  const { context } = pane;
  const spots = one.points.map((spot) => pane.toScreen(spot, state));
  context.save();
  Object.assign(context, { strokeStyle: MEASURE, fillStyle: MEASURE, lineWidth: 1.6, font: "600 13px system-ui, sans-serif" });
  context.beginPath();
  spots.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (one.kind === "area") context.closePath();
  context.stroke();
  if (one.kind === "length") {
    for (const [x, y] of spots) {
      context.beginPath();
      context.arc(x, y, 3, 0, 2 * Math.PI);
      context.fill();
    }
  }
  const [x, y] = spots.reduce((best, spot) => (spot[0] > best[0] ? spot : best));
  const words = measureWords(one);
  const width = context.measureText(words).width;
  const left = Math.min(x + 8, pane.width - width - 6);
  context.fillStyle = "rgba(0, 0, 0, 0.65)";
  context.fillRect(left - 3, y - 16, width + 6, 19);
  context.fillStyle = MEASURE;
  context.fillText(words, left, y - 2);
  context.restore();
}
