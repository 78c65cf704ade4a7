// What a person may do: open studies, choose a layout and what stands in it, move, zoom, window, measure. Pictures of one
// direction move together.

const LEAST_FIELD_MM = 8;

class Viewer extends Stage {
  async open(studies) {
    const turn = (this.turn = (this.turn || 0) + 1);
    this.page = pageOf();
    this.store.leave();
    this.store = this.newStore();
    Object.assign(this, { sources: [], states: [], point: null, trouble: "" });
    this.measures.clear();
    this.outlines.clear();
    try {
      const scenes = await Promise.all(studies.map(async (one) => {
        const answer = await ask(one, "scene", this.store.leaving.signal);
        return { ...one, scene: await answer.json() };
      }));
      if (turn !== this.turn) return;
      this.sources = scenes;
      this.begin();
    } catch (error) {
      if (turn === this.turn && error.name !== "AbortError") this.told(error);
    }
  }

  // What is said of the pictures has changed, the pictures have not: they stay as one looks at them.
  async restate() {
    const turn = this.turn;
    try {
      const scenes = await Promise.all(this.sources.map(async (one) => {
        const answer = await ask(one, "scene", this.store.leaving.signal);
        return { ...one, scene: await answer.json() };
      }));
      if (turn !== this.turn) return;
      this.sources = scenes;
      for (const state of this.states) state.view = this.view(state.study, state.view.id) ?? state.view;
      this.panes.forEach((pane, at) => this.offer(pane, at));
      delete this.root.querySelector(".strip").dataset.key;
      this.changed();
    } catch (error) {
      if (turn === this.turn && error.name !== "AbortError") this.told(error);
    }
  }

  begin() {
    const asked = readAddress();
    const states = (asked?.panes || []).map((one) => this.wantedState(one)).filter(Boolean);
    if (states.length) {
      this.layout = asked.layout;
      this.states = states;
      this.active = Math.min(Math.max(0, asked.active), states.length - 1);
    } else {
      const { start } = this.sources[0].scene;
      this.layout = start.beside && this.grid.clientWidth > 640 ? "2" : "1";
      this.states = [this.newState(0, start.view, this.hidden ? null : start.plane)];
      this.active = 0;
    }
    this.fill();
    this.changed();
  }

  wantedState(one) {
    const view = this.view(one.study, one.view);
    if (!view || !(one.plane >= 0 && one.plane < view.planes.length)) return null;
    const state = this.newState(one.study, one.view, one.plane);
    if (one.zoom) state.zoom = one.zoom;
    if (one.field >= LEAST_FIELD_MM && one.field < 2000 && one.centre?.length === 2 && one.centre.every(Number.isFinite)) {
      Object.assign(state, { zoom: "free", field: one.field, centre: one.centre });
    }
    const preset = view.windows[one.preset];
    if (preset) [, state.low, state.high] = preset;
    if (one.window?.length === 2 && one.window.every(Number.isFinite) && one.window[1] > one.window[0]) {
      [state.low, state.high] = one.window;
    }
    state.invert = Boolean(one.invert);
    return state;
  }

  newState(study, id, plane) {
    const view = this.view(study, id);
    // An unbiased first look does not begin at the place that the software suspects.
    const index = plane ?? (this.hidden ? null : view.worst) ?? Math.floor(view.planes.length / 2);
    const shown = this.hidden && plane === view.worst ? Math.floor(view.planes.length / 2) : index;
    const alike = this.states.find((state) => state.study === study && state.view.series === view.series);
    const [, low, high] = view.windows[0];
    return {
      study, view, plane: shown, shown, direction: 1, invert: alike?.invert ?? false,
      low: alike?.low ?? low, high: alike?.high ?? high,
      zoom: view.graded && !this.hidden ? "canal" : "fit", field: 100, centre: [0, 0],
    };
  }

  count() {
    return { 1: 1, 2: 2, 4: 4 }[this.layout] || Math.max(1, this.states.length);
  }

  arrange(layout) {
    const state = this.states[this.active];
    this.layout = layout;
    if (layout === "all") {
      const series = this.sources[0].scene.views.filter((view) => /^\d+$/.test(view.id));
      const others = series.filter((view) => view !== state.view).map((view) => this.newState(0, view.id, null));
      this.states = [state, ...others].slice(0, 9);
      this.active = 0;
    } else {
      const first = this.states.splice(this.active, 1);
      this.states = [...first, ...this.states].slice(0, this.count());
      this.active = 0;
    }
    this.fill();
    this.follow(this.states[0]);
    this.changed();
  }

  // Fill up the layout with what is most worth seeing and is not there yet, and make its elements.
  fill() {
    const { scene } = this.sources[0];
    const coronal = scene.views.find((view) => view.plane === "coronal");
    const series = scene.views.filter((view) => /^\d+$/.test(view.id));
    // The sagittal one, a coronal one, the other series, and cuts last.
    for (const id of [scene.start.beside, coronal?.id, ...[...series, ...scene.views].map((view) => view.id)]) {
      if (this.states.length >= this.count()) break;
      if (id && !this.states.some((state) => state.study === 0 && state.view.id === id)) {
        this.states.push(this.newState(0, id, null));
        this.follow(this.states[0]);
      }
    }
    while (this.panes.length > this.states.length) this.panes.pop().element.remove();
    while (this.panes.length < this.states.length) {
      const pane = new Pane(this.panes.length + 1);
      const at = this.panes.length;
      pane.select.addEventListener("change", () => this.choose(at, pane.select.value));
      this.panes.push(pane);
      this.grid.append(pane.element);
      interact(this, pane, at);
    }
    const across = this.states.length === 1 ? 1 : this.states.length <= 4 ? 2 : 3;
    this.grid.style.setProperty("--across", String(across));
    this.grid.style.setProperty("--rows", String(Math.ceil(this.states.length / across)));
    this.panes.forEach((pane, at) => this.offer(pane, at));
    this.lookOutlines();
    this.resized();
  }

  offer(pane, at) {
    const options = this.sources.flatMap(({ scene, label }, study) => {
      const group = made("optgroup");
      group.label = label;
      group.append(...scene.views.map((view) => {
        const option = made("option", "", view.name);
        option.value = `${study}-${view.id}`;
        return option;
      }));
      return this.sources.length > 1 ? [group] : [...group.children];
    });
    pane.select.replaceChildren(...options);
    pane.select.value = `${this.states[at].study}-${this.states[at].view.id}`;
  }

  choose(at, value) {
    const [study, id] = value.split("-");
    this.states[at] = this.newState(Number(study), id, null);
    this.active = at;
    this.resized();
    if (this.point) this.toPoint(this.states[at], this.point);
    else this.follow(this.states[at === 0 ? 1 : 0], this.states[at]);
    this.lookOutlines();
    this.changed();
  }

  move(at, steps) {
    this.goTo(at, this.states[at].plane + steps);
  }

  goTo(at, plane) {
    const state = this.states[at];
    const index = Math.max(0, Math.min(state.view.planes.length - 1, plane));
    this.active = at;
    if (index === state.plane) return;
    state.direction = Math.sign(index - state.plane);
    const from = place(state.view, state.plane);
    state.plane = index;
    if (this.linked) this.follow(state, null, from);
    this.changed();
  }

  // Others that show the same direction come along: by position where coordinates are shared, by level or by the way
  // gone where they are not (another study).
  follow(leader, only = null, from = null) {
    if (!leader) return;
    const here = place(leader.view, leader.plane);
    const target = this.point && this.point.space === this.space(leader)
      ? along(this.point.at, here.normal, here.depth - dot(this.point.at, here.normal)) : here.centre;
    for (const state of this.states) {
      if (state === leader || (only && state !== only)) continue;
      const there = place(state.view, state.plane);
      const alike = parallel(here, there);
      if (this.space(state) === this.space(leader)) {
        if (alike || (only && !from)) this.jump(state, nearest(state.view, target).index);
      } else if (alike) {
        this.alongside(leader, state, from);
      }
    }
  }

  // Another study has coordinates of its own.
  alongside(leader, state, from) {
    const { level } = leader.view.planes[leader.plane];
    const same = level ? state.view.planes.flatMap((plane, index) => (plane.level === level ? [index] : [])) : [];
    if (same.length) {
      const own = leader.view.planes.flatMap((plane, index) => (plane.level === level ? [index] : []));
      const part = own.length > 1 ? own.indexOf(leader.plane) / (own.length - 1) : 0.5;
      this.jump(state, same[Math.round(part * (same.length - 1))]);
      state.exact = null;
      return;
    }
    if (!from) return;
    const here = place(leader.view, leader.plane);
    const there = place(state.view, state.plane);
    const gone = dot(here.centre, here.normal) - dot(from.centre, here.normal);
    const exact = (state.exact ?? dot(there.centre, there.normal)) + gone * Math.sign(dot(here.normal, there.normal));
    const wanted = along(there.centre, there.normal, exact - dot(there.centre, there.normal));
    this.jump(state, nearest(state.view, wanted).index);
    state.exact = exact;
  }

  jump(state, index) {
    if (index === state.plane) return;
    state.direction = Math.sign(index - state.plane);
    state.plane = index;
    state.exact = null;
  }

  toPoint(state, at) {
    if (at.space === this.space(state)) this.jump(state, nearest(state.view, at.at).index);
  }

  setPoint(at, spot) {
    const state = this.states[at];
    this.active = at;
    this.point = { space: this.space(state), at: point(place(state.view, state.shown), spot) };
    for (const other of this.states) if (other !== state) this.toPoint(other, this.point);
    this.changed();
  }

  // Show a place of this study: its plane in view `id`, which takes the picture of its direction if it has none, and the
  // crosshair on it in all pictures.
  showPlace(id, position) {
    const view = this.view(0, id);
    if (!view || !this.states.length) return;
    let at = this.states.findIndex((state) => state.study === 0 && state.view === view);
    if (at < 0) {
      const alike = this.states.findIndex((state) => state.study === 0 && state.view.plane === view.plane);
      at = alike >= 0 ? alike : this.states.length - 1;
      this.states[at] = this.newState(0, id, null);
      this.panes[at].select.value = `0-${id}`;
      this.resized();
      this.lookOutlines();
    }
    const state = this.states[at];
    this.point = { space: this.space(state), at: position };
    for (const other of this.states) this.toPoint(other, this.point);
    if (state.zoom === "free") state.centre = project(place(view, state.plane), position);
    this.active = at;
    this.changed();
  }

  zoomBy(at, factor, spot = null) {
    const [state, pane] = [this.states[at], this.panes[at]];
    const field = Math.max(LEAST_FIELD_MM, Math.min(1500, state.field / factor));
    if (spot) {
      const fixed = pane.toPlane(...spot, state);
      state.centre = state.centre.map((mm, axis) => fixed[axis] + (mm - fixed[axis]) * (field / state.field));
    }
    Object.assign(state, { field, zoom: "free" });
    this.changed();
  }

  panBy(at, dx, dy) {
    const [state, pane] = [this.states[at], this.panes[at]];
    const scale = pane.scale(state.field);
    state.centre = [state.centre[0] - dx / scale, state.centre[1] - dy / scale];
    state.zoom = "free";
    this.changed();
  }

  setZoom(zoom) {
    this.states[this.active].zoom = zoom;
    this.changed();
  }

  // Pictures of one series share their window.
  setWindow(at, low, high) {
    const chosen = this.states[at];
    if (!(high > low)) return;
    for (const state of this.states) {
      if (state.study === chosen.study && state.view.series === chosen.view.series) Object.assign(state, { low, high });
    }
    this.changed();
  }

  usePreset(number) {
    const preset = this.states[this.active]?.view.windows[number];
    if (preset) this.setWindow(this.active, preset[1], preset[2]);
  }

  invert() {
    const chosen = this.states[this.active];
    const wanted = !chosen.invert;
    for (const state of this.states) {
      if (state.study === chosen.study && state.view.series === chosen.view.series) state.invert = wanted;
    }
    this.changed();
  }

  reset() {
    const state = this.states[this.active];
    const [, low, high] = state.view.windows[0];
    Object.assign(state, { zoom: state.view.graded && !this.hidden ? "canal" : "fit", invert: false });
    this.setWindow(this.active, low, high);
  }

  worst() {
    const at = this.states.findIndex((state) => state.study === 0 && state.view.graded);
    if (this.hidden) return;
    if (at >= 0) this.goTo(at, this.states[at].view.worst);
    else this.choose(this.active, `0-${this.sources[0].scene.start.view}`);
  }

  addMeasure(at, one) {
    const key = this.measureKey(this.states[at]);
    this.measures.set(key, [...(this.measures.get(key) || []), one]);
    this.changed();
  }

  dropMeasure() {
    const key = this.measureKey(this.states[this.active]);
    this.measures.set(key, (this.measures.get(key) || []).slice(0, -1));
    this.changed();
  }

  setTool(tool) {
    this.tool = tool;
    drawTools(this);
  }

  toggle(name) {
    this[name] = !this[name];
    drawTools(this);
    this.changed();
  }

  toggleLine(name) {
    if (!this.off.delete(name)) this.off.add(name);
    this.remember();
    drawTools(this);
    this.redraw();
  }

  toggleLines() {
    const names = this.styles.map(({ name }) => name);
    const usual = names.filter((name) => !this.atFirstOff.has(name));
    if (usual.some((name) => this.off.has(name))) {
      // What was drawn before comes back, besides what is drawn at first; the names of levels are no contours.
      for (const name of [...usual, ...(this.before || [])]) this.off.delete(name);
    } else {
      this.before = names.filter((name) => !this.off.has(name));
      for (const name of names) this.off.add(name);
    }
    this.remember();
    drawTools(this);
    this.redraw();
  }
}
