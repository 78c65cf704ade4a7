// The slice viewer: its toolbar, its strip of slices, and what it is to Streamlit. A step from slice to slice asks the
// server for nothing; once one rests, the panel beside it is told where.

const viewers = new WeakMap();
const MARK_MS = 60;
const LEAVE_MS = 1000;
const TOOLS = [
  ["window", "Window", "Left drag: brightness and contrast"],
  ["scroll", "Scroll", "Left drag: slices"],
  ["pan", "Pan", "Left drag: move the picture (also the middle button, or Shift)"],
  ["zoom", "Zoom", "Left drag: zoom (also the right button, or Ctrl and the wheel)"],
  ["length", "Length", "Left drag: a distance in mm (M)"],
  ["area", "Area", "Left drag: an area in mm² (O)"],
];
const LAYOUT_WORDS = [
  ["1", "1", "One picture"], ["2", "2", "Two pictures"], ["4", "4", "Four pictures"],
  ["all", "All", "All sequences at this level"],
];
const HELP = [
  ["Wheel, ↑ ↓, one finger", "slices"], ["Page ↑ ↓, Home, End", "five slices, first, last"], ["W", "the worst slice"],
  ["Click", "crosshair in all pictures"], ["1 2 3 4", "window presets"], ["I", "invert"], ["Z", "canal or whole slice"],
  ["+ − , two fingers", "zoom"], ["R", "as at first"], ["M, O", "distance, area; Delete takes the last away"],
  ["X", "all contours on or off"], ["C", "cross-reference lines"], ["K", "scroll together"], ["H", "hide all AI marks"],
];

function button(words, tip, act, pressed) {
  const element = made("button", "", words);
  element.type = "button";
  element.title = tip;
  if (pressed !== undefined) element.setAttribute("aria-pressed", String(pressed));
  element.addEventListener("click", act);
  return element;
}

function group(label, ...parts) {
  const element = made("span", "group");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
  element.append(...parts);
  return element;
}

function drawTools(viewer) {
  const bar = viewer.root.querySelector(".tools");
  const focused = viewer.root.getRootNode().activeElement;
  const kept = focused && bar.contains(focused) ? focused.dataset.name : null;
  const named = (element, name) => {
    element.dataset.name = name;
    return element;
  };
  const tools = TOOLS.map(([tool, words, tip]) => named(button(words, tip, () => viewer.setTool(tool), viewer.tool === tool), tool));
  const layouts = LAYOUT_WORDS.map(([layout, words, tip]) => named(
    button(words, tip, () => { viewer.arrange(layout); drawTools(viewer); }, viewer.layout === layout), `layout ${layout}`));
  const view = viewer.states[viewer.active]?.view;
  const presets = made("select");
  presets.title = "Window presets, made for this series (keys 1 to 4)";
  presets.setAttribute("aria-label", "Window preset");
  const state = viewer.states[viewer.active];
  const chosen = view?.windows.findIndex(([, low, high]) => low === state.low && high === state.high) ?? -1;
  presets.append(...(view?.windows || []).map(([name], index) => new Option(name, String(index), false, index === chosen)));
  if (chosen < 0) presets.prepend(new Option("By hand", "-1", true, true));
  presets.addEventListener("change", () => viewer.usePreset(Number(presets.value)));
  const found = new Set(viewer.sources.flatMap(({ scene }) => scene.views.flatMap((one) => one.structures)));
  const lines = viewer.hidden ? [] : viewer.styles.filter(({ name }) => found.has(name)).map((style) => {
    const element = named(button(style.label, `Contour: ${style.label}`, () => viewer.toggleLine(style.name), !viewer.off.has(style.name)), style.name);
    element.prepend(sample(style));
    return element;
  });
  if (!viewer.hidden && viewer.sources.some(({ scene }) => scene.spines.length)) {
    const words = "Names of vertebrae and discs on sagittal pictures";
    lines.unshift(named(button("Levels", words, () => viewer.toggleLine(LEVELS), !viewer.off.has(LEVELS)), LEVELS));
  }
  const opacity = made("input");
  Object.assign(opacity, { type: "range", min: "0.1", max: "1", step: "0.1", value: String(viewer.opacity), title: "Opacity of the contours" });
  opacity.setAttribute("aria-label", "Opacity of the contours");
  opacity.addEventListener("input", () => { viewer.opacity = Number(opacity.value); viewer.remember(); viewer.redraw(); });
  bar.replaceChildren(
    group("Layout", ...layouts),
    group("Left mouse button", ...tools),
    group("Window", named(presets, "presets"), named(button("Invert", "Black and white change places (I)", () => viewer.invert(), Boolean(state?.invert)), "invert")),
    group("Zoom",
      named(button("Canal", "The canal, 80 mm (Z)", () => viewer.setZoom("canal"), state?.zoom === "canal"), "canal"),
      named(button("Fit", "The whole slice (Z)", () => viewer.setZoom("fit"), state?.zoom === "fit"), "fit")),
    group("Together",
      named(button("Link", "Pictures of one direction scroll together (K)", () => viewer.toggle("linked"), viewer.linked), "link"),
      named(button("Lines", "Where the pictures cross, and the crosshair (C)", () => viewer.toggle("crosses"), viewer.crosses), "lines")),
    ...(lines.length ? [group("Levels and contours", ...lines, named(opacity, "opacity"))] : []),
    help(),
  );
  if (kept) [...bar.querySelectorAll("[data-name]")].find((one) => one.dataset.name === kept)?.focus();
}

function sample({ colour, dash, width }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  Object.entries({ width: 20, height: 8, "aria-hidden": "true" }).forEach(([name, value]) => svg.setAttribute(name, value));
  Object.entries({ x1: 0, x2: 20, y1: 4, y2: 4, stroke: colour, "stroke-width": width, "stroke-dasharray": dash.join(" ") })
    .forEach(([name, value]) => line.setAttribute(name, value));
  svg.append(line);
  return svg;
}

function help() {
  const element = made("details", "help");
  element.append(made("summary", "", "Keys"));
  const table = made("table");
  for (const [keys, words] of HELP) {
    const row = made("tr");
    row.append(made("th", "", keys), made("td", "", words));
    table.append(row);
  }
  element.append(table);
  return element;
}

// --- the strip: every slice of the graded series, small, in order, with its grade

function drawStrip(viewer) {
  const strip = viewer.root.querySelector(".strip");
  const at = viewer.states.findIndex((one) => one.study === 0 && one.view.graded);
  const state = viewer.states[at];
  if (!state) {
    strip.hidden = true;
    return;
  }
  strip.hidden = false;
  const key = `${viewer.sources[0].address}/${state.view.id}/${viewer.hidden}`;
  if (strip.dataset.key !== key) fillStrip(viewer, strip, state, key);
  if (strip.dataset.plane !== String(state.plane)) {
    strip.dataset.plane = state.plane;
    // The profile below moves its mark in the first pause: drawing it takes longer than a slice.
    clearTimeout(viewer.marking);
    viewer.marking = setTimeout(() => {
      window.dispatchEvent(new CustomEvent("spine-triage-slice", { detail: state.plane }));
    }, MARK_MS);
  }
  const current = strip.children[state.plane];
  const former = strip.querySelector("[aria-current]");
  if (former === current || !current) return;
  former?.removeAttribute("aria-current");
  if (former) former.tabIndex = -1;
  current.setAttribute("aria-current", "true");
  current.tabIndex = 0;
  const [left, right] = [current.offsetLeft, current.offsetLeft + current.offsetWidth];
  if (left < strip.scrollLeft || right > strip.scrollLeft + strip.clientWidth) {
    strip.scrollLeft = left - strip.clientWidth / 2 + current.offsetWidth / 2;
  }
}

async function fillStrip(viewer, strip, state, key) {
  const { tile, across } = viewer.thumbnails;
  strip.dataset.key = key;
  strip.replaceChildren(...state.view.planes.map((plane, index) => {
    const grade = viewer.hidden ? "" : plane.grade ?? (plane.grade === null ? "×" : "");
    const words = `Slice ${index + 1}${plane.name ? `, ${plane.name}` : ""}${plane.doubt ? `, ${plane.doubt}` : ""}${viewer.hidden ? "" : plane.grade ? `, suspected grade ${plane.grade}` : ", not analysed"}`;
    const element = button("", words, () => {
      const now = viewer.states.findIndex((one) => one.study === 0 && one.view === state.view);
      if (now >= 0) viewer.goTo(now, index);
    });
    element.setAttribute("aria-label", words);
    element.tabIndex = -1;
    element.dataset.grade = grade;
    const picture = made("span", "picture");
    picture.style.backgroundPosition = `${-(index % across) * tile}px ${-Math.floor(index / across) * tile}px`;
    element.append(picture, made("span", "letter", `${viewer.hidden ? "" : viewer.marks[plane.grade] || ""} ${grade}`.trim()));
    return element;
  }));
  try {
    const answer = await ask(viewer.sources[state.study], `${state.view.id}/thumbnails`, viewer.store.leaving.signal);
    const address = URL.createObjectURL(await answer.blob());
    if (viewer.sheet) URL.revokeObjectURL(viewer.sheet);
    viewer.sheet = address;
    if (strip.dataset.key === key) for (const one of strip.children) one.firstChild.style.backgroundImage = `url(${address})`;
  } catch (error) {
    if (error.name !== "AbortError") viewer.told(error);
  }
}

// --- Streamlit

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const root = parentElement.querySelector(".viewer");
  let viewer = viewers.get(root);
  if (!viewer) {
    viewer = new Viewer(root, (what, place) => {
      if (what === "rested") {
        viewer.report("place", { ...place, of: viewer.finding });
        return;
      }
      const state = viewer.states[viewer.active];
      const look = [viewer.active, viewer.states.length, state.view.id, state.zoom, state.low, state.high, state.invert].join();
      if (look !== viewer.look) {
        viewer.look = look;
        drawTools(viewer);
      }
      drawStrip(viewer);
      root.dispatchEvent(new CustomEvent("triage-drawn", { bubbles: true, composed: true }));
    });
    const silence = listenToKeys(viewer, parentElement.host || root);
    const show = (event) => viewer.showPlace(event.detail.view, event.detail.at);
    window.addEventListener("spine-triage-place", show);
    viewer.silence = () => { silence(); window.removeEventListener("spine-triage-place", show); };
    viewers.set(root, viewer);
  }
  viewer.report = setStateValue;
  const hid = viewer.hidden !== data.hidden;
  Object.assign(viewer, { hidden: data.hidden, styles: data.styles, marks: data.marks, thumbnails: data.thumbnails });
  viewer.offAtFirst(data.off);
  const studies = JSON.stringify(data.studies);
  if (viewer.studies !== studies) {
    Object.assign(viewer, { studies, finding: data.studies[0].address, gone: data.go?.turn, stamp: data.stamp });
    viewer.open(data.studies);
  } else if (viewer.stamp !== data.stamp) {
    viewer.stamp = data.stamp;
    viewer.restate();
  } else if (data.go && viewer.gone !== data.go.turn && viewer.states.length) {
    viewer.gone = data.go.turn;
    const at = viewer.states.findIndex((one) => one.study === 0 && one.view.id === data.go.view);
    if (at >= 0) viewer.goTo(at, data.go.plane);
  }
  if (hid) {
    drawTools(viewer);
    viewer.redraw();
  }
  // Streamlit may end an earlier call after it made a later one: the viewer goes when its place on the page is gone.
  return () => { for (const pause of [0, LEAVE_MS]) setTimeout(() => leaveIfGone(root), pause); };
}

function leaveIfGone(root) {
  const viewer = viewers.get(root);
  if (!viewer || root.isConnected) return;
  viewer.silence();
  viewer.leave();
  if (viewer.sheet) URL.revokeObjectURL(viewer.sheet);
  viewers.delete(root);
}
