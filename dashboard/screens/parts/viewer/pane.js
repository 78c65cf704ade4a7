// One picture with what belongs on it. It draws what it is told and keeps no state but its canvas.

const FINE = 96;
const BAR_MM = [100, 50, 20, 10, 5, 2, 1];
const EDGES = ["left", "top", "right", "bottom"];

function made(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
}

// Writing what stands there already would make a screen reader say it again.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

class Pane {
  constructor(number) {
    this.element = made("section", "pane");
    this.element.tabIndex = 0;
    this.canvas = made("canvas");
    this.context = this.canvas.getContext("2d");
    this.select = made("select");
    this.select.setAttribute("aria-label", `Series in picture ${number}`);
    this.where = made("span", "where");
    this.corners = {};
    for (const name of ["nw", "ne", "sw", "se"]) this.corners[name] = made("div", `corner ${name}`);
    this.grade = made("b", "grade");
    this.doubt = made("span", "doubt");
    this.corners.nw.append(this.select, this.where, this.doubt, this.grade);
    this.quality = made("span", "quality");
    this.date = made("span");
    this.note = made("span", "note");
    this.counted = made("span", "doubt");
    this.corners.ne.append(this.date, this.quality, this.note, this.counted);
    this.bar = made("div", "bar");
    this.barWords = made("span");
    this.windowWords = made("span");
    this.corners.sw.append(this.windowWords, this.barWords, this.bar);
    this.letters = EDGES.map((edge) => made("span", `letter ${edge}`));
    this.message = made("p", "message");
    this.message.setAttribute("role", "status");
    this.element.append(this.canvas, ...Object.values(this.corners), ...this.letters, this.message);
    this.picture = new OffscreenCanvas(1, 1);
    this.painted = "";
  }

  // How many CSS pixels a mm takes, for a field of view whose shorter side is `field` mm.
  scale(field) {
    return Math.min(this.width, this.height) / field;
  }

  resize() {
    const box = this.element.getBoundingClientRect();
    this.width = Math.max(1, this.element.clientWidth);
    this.height = Math.max(1, this.element.clientHeight);
    this.ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.width * this.ratio), Math.round(this.height * this.ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    this.box = box;
  }

  // From CSS pixels within the pane to mm on the plane's axes.
  toPlane(x, y, state) {
    const scale = this.scale(state.field);
    return [state.centre[0] + (x - this.width / 2) / scale, state.centre[1] + (y - this.height / 2) / scale];
  }

  toScreen([across, down], state) {
    const scale = this.scale(state.field);
    return [this.width / 2 + (across - state.centre[0]) * scale, this.height / 2 + (down - state.centre[1]) * scale];
  }

  // `state`: view, shown (plane on screen), field, centre, low, high, invert; `frame` its values, or undefined.
  draw(state, frame, drawing) {
    const { context, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.width, this.height);
    const where = place(state.view, state.shown);
    if (frame) {
      this.paint(state, frame, where, drawing.frameKey);
      const [x, y] = this.toScreen([where.left, where.top], state);
      const scale = this.scale(state.field);
      context.imageSmoothingEnabled = state.view.kind !== "thick";
      context.imageSmoothingQuality = "low";
      context.drawImage(this.picture, x, y, where.width * scale, where.height * scale);
    }
    delete this.element.dataset.levels;
    drawLines(this, state, where, drawing);
    this.words(state, frame, where, drawing);
  }

  paint(state, frame, where, frameKey) {
    const key = `${frameKey}:${state.low}:${state.high}:${state.invert}:${frame.whole}`;
    if (key === this.painted) return;
    const { rows, columns } = where.grid;
    if (this.picture.width !== columns || this.picture.height !== rows || !this.image) {
      this.picture = new OffscreenCanvas(columns, rows);
      this.image = new ImageData(columns, rows);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    greys(frame, state.low, state.high, state.invert, this.pixels);
    this.picture.getContext("2d").putImageData(this.image, 0, 0);
    this.painted = key;
  }

  words(state, frame, where, drawing) {
    const { view } = state;
    const plane = view.planes[state.shown];
    const level = plane.name ? `${plane.name} · ` : "";
    const asked = state.plane === state.shown ? "" : ` → ${state.plane + 1}`;
    const axis = [0, 1, 2].reduce((best, one) => (
      Math.abs(where.normal[one]) > Math.abs(where.normal[best]) ? one : best));
    const position = where.centre[axis];
    const side = LETTERS[axis][position > 0 ? 1 : 0];
    write(this.where, `${level}${state.shown + 1}${asked} / ${view.planes.length} · ${side} ${Math.abs(position).toFixed(1)} mm`);
    write(this.doubt, plane.doubt || "");
    write(this.grade, drawing.hidden || plane.grade === undefined ? ""
      : plane.grade === null ? "× not analysed" : `${drawing.marks[plane.grade] || ""} suspected ${plane.grade}`);
    write(this.date, drawing.date);
    write(this.quality, !frame ? "loading" : frame.whole ? "lossless" : "preview, lossy");
    this.quality.classList.toggle("poor", !frame || !frame.whole);
    write(this.note, view.kind === "thick" ? "reformat of thick slices" : view.kind === "reformat" ? "reformat" : "");
    write(this.counted, drawing.levels?.words || "");
    const digits = state.high - state.low < 10 ? 3 : 0;
    write(this.windowWords, `W ${(state.high - state.low).toFixed(digits)} L ${((state.high + state.low) / 2).toFixed(digits)}`
      + `${state.invert ? " inverted" : ""}`);
    const scale = this.scale(state.field);
    const length = BAR_MM.find((mm) => mm * scale < Math.min(FINE * 1.6, this.width / 3)) || 1;
    this.bar.style.width = `${length * scale}px`;
    write(this.barWords, `${length} mm`);
    const wanted = view.lines.join("\n");
    if (this.lines !== wanted) {
      this.lines = wanted;
      this.corners.se.replaceChildren(...view.lines.map((line) => made("span", "", line)));
    }
    const { right, down } = where.grid;
    const sides = [right.map((v) => -v), down.map((v) => -v), right, down].map(letter);
    this.letters.forEach((element, at) => write(element, sides[at]));
    write(this.message, drawing.message || "");
    this.message.hidden = !drawing.message;
    Object.assign(this.element.dataset, {
      view: view.id, plane: state.shown + 1, count: view.planes.length, quality: frame ? (frame.whole ? "lossless" : "preview") : "none",
    });
    const label = `${view.name}, ${[plane.name, plane.doubt].filter(Boolean).map((one) => `${one}, `).join("")}slice ${state.shown + 1} of ${view.planes.length}`;
    if (this.element.getAttribute("aria-label") !== label) this.element.setAttribute("aria-label", label);
  }
}
