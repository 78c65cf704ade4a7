// What stands in the pictures and how it gets there: the state of each, drawing, fetching ahead, the address, and telling
// where one rests. Every change ends in `changed`. What a person may do to it is the viewer's.

const CANAL_FIELD_MM = 80;
const REST_MS = 160;
const ADDRESS_MS = 120;
const QUIET_MS = 600;
const SETTINGS = "spine-triage-viewer";
// The names of levels are switched with the outlines, and are none of them.
const LEVELS = "levels";

class Stage {
  constructor(root, tell) {
    Object.assign(this, { root, tell, sources: [], states: [], panes: [], measures: new Map(), outlines: new Map() });
    Object.assign(this, { layout: "2", active: 0, tool: "window", point: null, linked: true, crosses: true });
    Object.assign(this, { hidden: false, styles: [], marks: {}, off: new Set(), known: new Set(), opacity: 0.9, trouble: "" });
    this.recall();
    this.store = this.newStore();
    this.grid = root.querySelector(".panes");
    this.watcher = new ResizeObserver(() => this.resized());
    this.watcher.observe(this.grid);
  }

  newStore() {
    return new FrameStore((key) => this.arrived(key), (error) => this.told(error));
  }

  recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(SETTINGS) || "{}");
      if (Array.isArray(kept.off)) this.off = new Set(kept.off);
      this.known = new Set(kept.known);
      if (kept.opacity >= 0.1 && kept.opacity <= 1) this.opacity = kept.opacity;
    } catch {
      localStorage.removeItem(SETTINGS);
    }
  }

  // Structures that are drawn only once somebody asks for them; what a person has chosen before stays.
  offAtFirst(names) {
    this.atFirstOff = new Set(names);
    for (const name of names) {
      if (!this.known.has(name)) this.off.add(name);
      this.known.add(name);
    }
  }

  remember() {
    localStorage.setItem(SETTINGS, JSON.stringify({ off: [...this.off], known: [...this.known], opacity: this.opacity }));
  }

  view(study, id) {
    return this.sources[study]?.scene.views.find((view) => view.id === id);
  }

  space(state) {
    return `${state.study}/${state.view.space}`;
  }

  settle(state, pane) {
    const where = place(state.view, state.plane);
    if (state.zoom === "free") return;
    const fit = Math.min(pane.width, pane.height) * Math.max(where.width / pane.width, where.height / pane.height);
    if (state.zoom === "fit") {
      Object.assign(state, { field: fit, centre: where.middle });
      return;
    }
    const field = Math.min(CANAL_FIELD_MM, fit);
    Object.assign(state, { field, centre: this.canalMiddle(state, where, field) });
  }

  // Stored slices stay where the worst one lies, for what jumps cannot be followed. Planes cut across the canal each have
  // it in their own middle, far from where the worst one has it.
  canalMiddle(state, where, field) {
    const worst = place(state.view, state.view.worst ?? state.plane);
    return keptNear(project(where, where.centre), project(where, worst.centre), state.view.kind === "stored" ? field / 4 : 0);
  }

  measureKey(state, plane = state.shown) {
    return `${state.study}/${state.view.id}/${plane}`;
  }

  resized() {
    this.panes.forEach((pane) => pane.resize());
    this.redraw();
  }

  changed() {
    this.trouble = "";
    this.redraw();
    clearTimeout(this.planning);
    this.planning = setTimeout(() => this.plan(), 0);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rested(), REST_MS);
    clearTimeout(this.addressing);
    this.addressing = setTimeout(() => this.keepAddress(), ADDRESS_MS);
  }

  // Of a page that has been left meanwhile the address says something else.
  keepAddress() {
    if (this.sources.length && pageOf() === this.page) writeAddress(this.layout, this.states, this.active);
  }

  redraw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.states.length) {
      write(this.root.querySelector(".trouble"), this.trouble);
      return;
    }
    this.states.forEach((state, at) => this.drawPane(state, this.panes[at], at));
    write(this.root.querySelector(".trouble"), this.trouble);
    this.tell("drawn");
  }

  drawPane(state, pane, at) {
    const source = this.sources[state.study];
    const wanted = FrameStore.key(source, state.view, state.plane);
    if (this.store.get(wanted) || !this.store.get(FrameStore.key(source, state.view, state.shown))) state.shown = state.plane;
    const frameKey = FrameStore.key(source, state.view, state.shown);
    this.settle(state, pane);
    const lines = this.hidden || !state.view.outlined ? {} : this.outlines.get(`${state.study}/${state.view.id}`)?.[state.shown] || {};
    const here = place(state.view, state.shown);
    const point = this.crosses && this.point?.space === this.space(state) ? this.point.at : null;
    pane.element.classList.toggle("active", at === this.active);
    pane.draw(state, this.store.get(frameKey), {
      frameKey,
      hidden: this.hidden,
      marks: this.marks,
      date: [source.label, source.scene.date].filter(Boolean).join(" · "),
      opacity: this.opacity,
      outlines: this.styles.filter(({ name }) => lines[name] && !this.off.has(name)).map((style) => ({ style, loops: lines[style.name] })),
      crossings: this.crosses ? this.crossings(state, here) : [],
      point,
      away: point ? Math.abs(dot(point, here.normal) - here.depth) > 4 : false,
      measures: [...(this.measures.get(this.measureKey(state)) || []), ...(this.sketch?.at === at ? [this.sketch.one] : [])],
      levels: this.names(state),
      message: "",
    });
  }

  // What is written beside vertebrae and discs: on sagittal pictures in the coordinates in which levels were counted.
  names(state) {
    const near = this.sources[state.study].scene.spines.filter(({ space }) => space === state.view.space);
    // Those counted in the series itself lie best; the first are the study's own.
    const spine = near.find(({ series }) => series === state.view.series) || near[0];
    if (this.hidden || !spine || state.view.plane !== "sagittal") return null;
    return this.off.has(LEVELS) ? { ...spine, segments: [] } : spine;
  }

  crossings(state, here) {
    return this.states.flatMap((other, at) => {
      if (other === state || this.space(other) !== this.space(state)) return [];
      const ends = crossing(here, place(other.view, other.plane));
      return ends ? [{ ends, active: at === this.active }] : [];
    });
  }

  plan() {
    if (!this.sources.length) return;
    const wanted = [];
    this.states.forEach((state, at) => {
      const source = this.sources[state.study];
      state.view.planes.forEach((_, plane) => {
        const ahead = (plane - state.plane) * (state.direction || 1);
        const rank = ahead >= 0 ? ahead : -2 * ahead;
        wanted.push({ source, view: state.view, plane, now: !ahead, rank: rank + (at === this.active ? 0 : 0.5) });
      });
    });
    wanted.sort((one, other) => one.rank - other.rank);
    this.store.plan(wanted);
  }

  arrived(key) {
    const seen = this.states.some((state) => {
      const source = this.sources[state.study];
      return key === FrameStore.key(source, state.view, state.plane) || key === FrameStore.key(source, state.view, state.shown);
    });
    if (seen) this.redraw();
  }

  async lookOutlines() {
    for (const { study, view } of this.states) {
      const key = `${study}/${view.id}`;
      if (!view.outlined || this.outlines.has(key)) continue;
      this.outlines.set(key, null);
      try {
        const answer = await ask(this.sources[study], `${view.id}/outlines`, this.store.leaving.signal);
        this.outlines.set(key, await answer.json());
        this.redraw();
      } catch (error) {
        this.outlines.delete(key);
        if (error.name !== "AbortError") this.told(error);
      }
    }
  }

  told(error) {
    this.trouble = error.message;
    this.redraw();
  }

  // The panel beside the pictures speaks of the graded series, wherever else one looks.
  rested() {
    if (this.busy()) {
      this.resting = setTimeout(() => this.rested(), REST_MS);
      return;
    }
    const graded = (state) => state.study === 0 && state.view.graded;
    const active = this.states[this.active];
    const state = active && graded(active) ? active : this.states.find(graded) || active;
    if (state) this.tell("rested", { study: state.study, view: state.view.id, plane: state.plane });
  }

  // Somebody does something else on the page: what the viewer tells now would cut short what they asked for.
  quiet() {
    this.quietUntil = Date.now() + QUIET_MS;
  }

  busy() {
    const page = document.querySelector(".stApp");
    const running = page?.dataset.testScriptState && page.dataset.testScriptState !== "notRunning";
    return running || Date.now() < (this.quietUntil || 0);
  }

  leave() {
    this.turn = (this.turn || 0) + 1;
    this.watcher.disconnect();
    this.store.leave();
    for (const timer of [this.planning, this.resting, this.addressing, this.marking]) clearTimeout(timer);
    cancelAnimationFrame(this.drawing);
  }
}
