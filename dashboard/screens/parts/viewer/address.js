// The whole view in one word of the page's address, so that a link or a reload opens at the very slice. No identity:
// numbers of series and slices of the study that the address names anyway.

const VIEW_KEY = "view";
const LAYOUTS = ["1", "2", "4", "all"];
const WORD = /^[a-z0-9_.*-]{1,400}$/;

// Which study's page the address leads to.
function pageOf() {
  return `${window.location.pathname} ${new URL(window.location.href).searchParams.get("study") || ""}`;
}

function writeAddress(layout, panes, active) {
  const words = panes.map((pane) => {
    const parts = [`${pane.study}-${pane.view.id}`, `${pane.plane + 1}`];
    if (pane.zoom === "free") parts.push(`f${Math.round(pane.field)}`, `c${pane.centre.map((mm) => Math.round(mm * 10)).join("_")}`);
    else parts.push(`z${pane.zoom[0]}`);
    const preset = pane.view.windows.findIndex(([, low, high]) => low === pane.low && high === pane.high);
    if (preset < 0) parts.push(`w${pane.low.toPrecision(4)}_${pane.high.toPrecision(4)}`.replaceAll(".", "p").replaceAll("+", ""));
    else if (preset > 0) parts.push(`p${preset}`);
    if (pane.invert) parts.push("i");
    return parts.join(".");
  });
  const word = [`${layout}-${active + 1}`, ...words].join("*");
  const url = new URL(window.location.href);
  if (url.searchParams.get(VIEW_KEY) === word) return;
  url.searchParams.set(VIEW_KEY, word);
  window.history.replaceState(window.history.state, "", url);
}

// What the address asks for, or null; what it names and the study does not have is left out by the caller.
function readAddress() {
  const word = new URL(window.location.href).searchParams.get(VIEW_KEY) || "";
  if (!WORD.test(word)) return null;
  const [head, ...panes] = word.split("*");
  const [layout, active] = head.split("-");
  if (!LAYOUTS.includes(layout) || !panes.length) return null;
  return { layout, active: Number(active) - 1 || 0, panes: panes.map(readPane).filter(Boolean) };
}

function readPane(text) {
  const [name, plane, ...parts] = text.split(".");
  const [study, view] = name.split("-");
  const found = { study: Number(study), view, plane: Number(plane) - 1 };
  for (const part of parts) {
    const rest = part.slice(1);
    if (part === "i") found.invert = true;
    else if (part[0] === "p") found.preset = Number(rest);
    else if (part[0] === "z") found.zoom = rest === "c" ? "canal" : "fit";
    else if (part[0] === "f") found.field = Number(rest);
    else if (part[0] === "c") found.centre = rest.split("_").map((tenth) => Number(tenth) / 10);
    else if (part[0] === "w") found.window = rest.replaceAll("p", ".").split("_").map(Number);
  }
  return found;
}
