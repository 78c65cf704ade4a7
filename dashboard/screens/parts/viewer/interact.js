// Mouse, pen and fingers on one picture. Wheel: slices. Left button: the chosen tool; middle: pan; right: zoom; with
// Shift pan, with Ctrl zoom. A click sets the crosshair. One finger: slices; two: zoom and pan.

const STILL_PX = 4;
const NOTCH_PX = 80;
const FINGER_SLICE_PX = 14;
const WINDOW_PX = 600;

function interact(viewer, pane, at) {
  const { element, canvas } = pane;
  const fingers = new Map();
  let drag = null;
  let rolled = 0;

  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  function what(event) {
    if (event.pointerType === "touch") return viewer.tool === "length" || viewer.tool === "area" ? viewer.tool : "scroll";
    if (event.button === 1 || event.shiftKey) return "pan";
    if (event.button === 2 || event.ctrlKey) return "zoom";
    return viewer.tool;
  }

  function begin(event) {
    if (event.target !== canvas || !viewer.states[at]) return;
    event.preventDefault();
    element.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, spot(event));
    const state = viewer.states[at];
    const start = spot(event);
    drag = { tool: what(event), start, last: start, moved: false, rest: 0, low: state.low, high: state.high };
    if (fingers.size === 2) drag.pinch = pinch();
    if (viewer.active !== at) {
      viewer.active = at;
      viewer.changed();
    }
  }

  function pinch() {
    const [one, other] = [...fingers.values()];
    return { apart: Math.hypot(one[0] - other[0], one[1] - other[1]), middle: [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2] };
  }

  function move(event) {
    if (!drag || !fingers.has(event.pointerId)) return;
    const here = spot(event);
    fingers.set(event.pointerId, here);
    if (fingers.size === 2) {
      const now = pinch();
      viewer.zoomBy(at, now.apart / Math.max(1, drag.pinch.apart), now.middle);
      viewer.panBy(at, now.middle[0] - drag.pinch.middle[0], now.middle[1] - drag.pinch.middle[1]);
      Object.assign(drag, { pinch: now, moved: true });
      return;
    }
    const [dx, dy] = [here[0] - drag.last[0], here[1] - drag.last[1]];
    if (!drag.moved && Math.hypot(here[0] - drag.start[0], here[1] - drag.start[1]) < STILL_PX) return;
    drag.moved = true;
    drag.last = here;
    DRAGS[drag.tool](dx, dy, here, event);
  }

  const DRAGS = {
    scroll(_dx, dy, _here, event) {
      const count = viewer.states[at].view.planes.length;
      const step = event.pointerType === "touch" ? FINGER_SLICE_PX : Math.max(3, Math.min(20, pane.height / count));
      drag.rest += dy;
      const steps = Math.trunc(drag.rest / step);
      drag.rest -= steps * step;
      if (steps) viewer.move(at, steps);
    },
    window(_dx, _dy, here) {
      const [, least, most] = viewer.states[at].view.windows.at(-1);
      const unit = (most - least) / WINDOW_PX;
      const width = Math.max((most - least) / 2000, drag.high - drag.low + (here[0] - drag.start[0]) * unit);
      const level = (drag.high + drag.low) / 2 + (here[1] - drag.start[1]) * unit;
      viewer.setWindow(at, level - width / 2, level + width / 2);
    },
    pan: (dx, dy) => viewer.panBy(at, dx, dy),
    zoom: (_dx, dy) => viewer.zoomBy(at, Math.exp(-dy / 150)),
    length(_dx, _dy, here) {
      const state = viewer.states[at];
      viewer.sketch = { at, one: { kind: "length", points: [drag.start, here].map((one) => pane.toPlane(...one, state)) } };
      viewer.redraw();
    },
    area(_dx, _dy, here) {
      const state = viewer.states[at];
      const points = viewer.sketch?.at === at ? viewer.sketch.one.points : [pane.toPlane(...drag.start, state)];
      viewer.sketch = { at, one: { kind: "area", points: [...points, pane.toPlane(...here, state)] } };
      viewer.redraw();
    },
  };

  function end(event) {
    if (!fingers.delete(event.pointerId) || !drag) return;
    if (viewer.sketch) {
      const { one } = viewer.sketch;
      viewer.sketch = null;
      if (one.kind === "length" || one.points.length > 2) viewer.addMeasure(at, one);
    } else if (!drag.moved && event.type === "pointerup" && event.button === 0) {
      viewer.setPoint(at, pane.toPlane(...drag.start, viewer.states[at]));
    }
    drag = fingers.size ? { ...drag, moved: true, last: [...fingers.values()][0], rest: 0 } : null;
  }

  function wheel(event) {
    event.preventDefault();
    if (!viewer.states[at]) return;
    if (event.ctrlKey) {
      viewer.zoomBy(at, Math.exp(-event.deltaY / 300), spot(event));
      return;
    }
    // One notch of a wheel is one slice, whatever the system calls it; a trackpad's small steps add up.
    if (event.deltaMode || Math.abs(event.deltaY) >= NOTCH_PX) {
      rolled = 0;
      viewer.move(at, Math.sign(event.deltaY));
      return;
    }
    if (Math.sign(rolled) !== Math.sign(event.deltaY)) rolled = 0;
    rolled += event.deltaY;
    const steps = Math.trunc(rolled / NOTCH_PX * 2);
    rolled -= (steps * NOTCH_PX) / 2;
    if (steps) viewer.move(at, steps);
  }

  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => viewer.setZoom(viewer.states[at].zoom === "fit" ? "canal" : "fit"));
  element.addEventListener("focus", () => {
    if (viewer.active === at || !viewer.states[at]) return;
    viewer.active = at;
    viewer.changed();
  });
}

// Keys that hold on the whole page while nobody writes; those that also scroll a page only while the viewer has the focus.
function keyActions(viewer) {
  const step = (count) => () => viewer.move(viewer.active, count);
  return {
    everywhere: {
      ArrowUp: step(-1), ArrowDown: step(1), w: () => viewer.worst(), i: () => viewer.invert(), r: () => viewer.reset(),
      z: () => viewer.setZoom(viewer.states[viewer.active].zoom === "fit" ? "canal" : "fit"),
      k: () => viewer.toggle("linked"), c: () => viewer.toggle("crosses"), x: () => viewer.toggleLines(),
      m: () => viewer.setTool(viewer.tool === "length" ? "window" : "length"),
      o: () => viewer.setTool(viewer.tool === "area" ? "window" : "area"),
      "+": () => viewer.zoomBy(viewer.active, 1.25), "-": () => viewer.zoomBy(viewer.active, 0.8),
      1: () => viewer.usePreset(0), 2: () => viewer.usePreset(1), 3: () => viewer.usePreset(2), 4: () => viewer.usePreset(3),
    },
    inside: {
      PageUp: step(-5), PageDown: step(5), Home: () => viewer.goTo(viewer.active, 0),
      End: () => viewer.goTo(viewer.active, Infinity), Delete: () => viewer.dropMeasure(), Backspace: () => viewer.dropMeasure(),
      ArrowLeft: () => viewer.panBy(viewer.active, 20, 0), ArrowRight: () => viewer.panBy(viewer.active, -20, 0),
    },
  };
}

function listenToKeys(viewer, host) {
  const { everywhere, inside } = keyActions(viewer);
  const elsewhere = (event) => {
    if (!event.composedPath().includes(host)) viewer.quiet();
  };
  const pressed = (event) => {
    // Every other key may be one of the page's.
    if (!everywhere[event.key] && !everywhere[event.key.toLowerCase?.()]) viewer.quiet();
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || !viewer.states.length) return;
    const [target] = event.composedPath();
    if (target.closest?.("input, textarea, select, [contenteditable], [role=dialog], [role=listbox], [role=combobox]")) return;
    if (document.querySelector("[role=dialog]:not(.st-key-drawer)") && !host.contains(event.target)) return;
    const within = event.composedPath().includes(host);
    const act = everywhere[event.key] || everywhere[event.key.toLowerCase?.()] || (within && inside[event.key]);
    if (!act) return;
    event.preventDefault();
    act();
  };
  document.addEventListener("keydown", pressed);
  document.addEventListener("pointerdown", elsewhere, true);
  return () => {
    document.removeEventListener("keydown", pressed);
    document.removeEventListener("pointerdown", elsewhere, true);
  };
}
