// The worklist as a real table of which only the part in sight is here: arrow keys and Enter, rows that keep their place
// while the pointer is over them. Every text is set as text, never as markup: names are data from outside.

const TICK_MS = 15000;
// Height of a row in the style sheet, px: it is the same for all, so that the place of every row is known.
const ROW_PX = 52;
// Rows asked for above the part in sight; the server sends as many more below as it sees fit.
const ABOVE = 50;
const ASK_MS = 60;
const NEWS_MS = 60000;

function waited(iso, until) {
  const end = until ? Date.parse(until) : Date.now();
  const minutes = Math.max(0, Math.floor((end - Date.parse(iso)) / 60000));
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
  const days = Math.floor(minutes / 1440);
  if (days < 60) return `${days} d`;
  return days < 730 ? `${Math.floor(days / 30.4)} mo` : `${Math.floor(days / 365.25)} y`;
}

function remaining(iso) {
  const minutes = Math.floor((Date.parse(iso) - Date.now()) / 60000);
  if (minutes < 0) return "over";
  return minutes < 48 * 60 ? `${waited(new Date(Date.now() - minutes * 60000).toISOString())} left`
    : `${Math.floor(minutes / 1440)} d left`;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

const COLUMNS = [
  ["Tier", "tier", "How soon a person should look. Suggested by the software; clinical flags move a study up."],
  ["Grade", "grade", "Suspected Bilsky (ESCC) grade of the worst supported slice, 0 to 3, and its band"],
  ["P(high)", "number", "Calibrated probability of grade 2 or 3, 0 to 1"],
  ["Where", "where", "Level, or position along the body axis where no level is named"],
  ["Patient", "patient", "Name, number and birth date as the scanner sent them; kept encrypted on this machine"],
  ["Why", "why", "The first reason for this place in the list"],
  ["Waiting", "number", "Hours and minutes from receipt until now, or until a person read the study"],
  ["Clocks", "clocks", "Time since the scan, and what is left of the clocks of NICE NG234; see 'Order and clocks'"],
  ["Status", "status", "What has happened to the study so far, and by whom"],
];

// A cell of two lines; what does not fit is cut off with an ellipsis and told by the tooltip.
function cell(kind, main, sub, tip) {
  const made = element("td", kind);
  const box = element("div", "box");
  box.append(typeof main === "string" ? element("span", "main", main) : main);
  if (sub) box.append(typeof sub === "string" ? element("span", "sub", sub) : sub);
  if (tip) made.title = tip;
  made.append(box);
  return made;
}

function cells(study) {
  const tier = element("span", "main");
  const mark = element("span", "mark", study.mark);
  mark.setAttribute("aria-hidden", "true");
  tier.append(mark, element("span", "", study.tier_words));

  const link = element("a", "main");
  link.href = study.href;
  link.tabIndex = -1;
  link.dir = "auto";
  link.append(element("b", "", study.patient));
  const detail = element("span", "sub");
  if (study.synthetic) detail.append(element("span", "synthetic", "synthetic"), " ");
  detail.append(element("bdi", "", study.patient_detail));

  const scanned = study.acquired_at ? `scan ${waited(study.acquired_at)} ago` : "scan time unknown";
  const clocks = study.clocks.map((clock) => `${clock.label}: ${remaining(clock.ends_at)}`).join(" · ");
  const why = cell(study.why_more ? "why" : "why long", study.why, study.why_more, `${study.why} ${study.why_more}`);
  return [
    cell("tier", tier, study.moved ? "↑ moved up" : ""),
    cell("grade", study.grade || "–", study.band),
    cell("number", study.p_high),
    cell("where", study.where, study.where_detail),
    cell("patient", link, detail, `${study.patient} ${study.patient_detail}`),
    why,
    cell("number", waited(study.received_at, study.waited_until)),
    cell("clocks", scanned, clocks),
    cell("status", study.status, study.status_detail, study.status_detail),
  ];
}

const signatures = new WeakMap();

function rowOf(study, place, row) {
  // The minute is part of the signature: clocks move on, nothing else is touched.
  const signature = JSON.stringify(study) + Math.floor(Date.now() / TICK_MS);
  row.setAttribute("aria-rowindex", place + 2);
  if (signatures.get(row) === signature) return row;
  signatures.set(row, signature);
  row.dataset.id = study.id;
  row.dataset.tier = study.tier;
  row.className = study.unread ? "unread" : "";
  row.setAttribute("aria-label", study.spoken);
  row.replaceChildren(...cells(study));
  return row;
}

function spacer(rows) {
  const made = element("tr", "space");
  made.setAttribute("aria-hidden", "true");
  const inside = element("td");
  inside.colSpan = COLUMNS.length;
  inside.style.height = `${rows * ROW_PX}px`;
  made.append(inside);
  return made;
}

function update(state) {
  const { root, shown } = state;
  const body = root.querySelector("tbody");
  const focused = root.activeElement && root.activeElement.dataset && root.activeElement.dataset.id;
  const known = new Map(Array.from(body.querySelectorAll("tr[data-id]"), (row) => [row.dataset.id, row]));
  const rows = shown.rows.map((study, at) => rowOf(study, shown.first + at, known.get(study.id) || element("tr")));
  const parts = [...rows];
  const below = shown.total - shown.first - rows.length;
  if (shown.first > 0) parts.unshift(spacer(shown.first));
  if (below > 0) parts.push(spacer(below));
  const same = body.children.length === parts.length && parts.every((part, at) => part === body.children[at]);
  if (!same) body.replaceChildren(...parts);
  root.querySelector("table").setAttribute("aria-rowcount", shown.total + 1);
  const wanted = state.goal !== null ? rows[state.goal - shown.first] : null;
  if (wanted) {
    state.goal = null;
    state.current = wanted.dataset.id;
  }
  const current = rows.find((row) => row.dataset.id === (wanted ? state.current : focused || state.current)) || rows[0];
  rows.forEach((row) => { row.tabIndex = row === current ? 0 : -1; });
  if ((focused || wanted) && current && root.activeElement !== current) current.focus({ preventScroll: !wanted });
  fit(state);
}

// The list ends at the bottom of the window, so that its heading and the drop zone stay in sight.
function fit(state) {
  const scroll = state.root.querySelector(".scroll");
  const room = window.innerHeight - scroll.getBoundingClientRect().top - 14;
  scroll.style.maxHeight = `${Math.max(6 * ROW_PX, Math.floor(room))}px`;
}

function say(state, text, offersToShow) {
  const news = state.root.querySelector(".news");
  clearTimeout(state.quiet);
  news.querySelector("span").textContent = text;
  news.querySelector("button").hidden = !offersToShow;
  if (text && !offersToShow) state.quiet = setTimeout(() => say(state, "", false), NEWS_MS);
}

function take(state) {
  const { incoming, shown } = state;
  const reordered = shown.rows.length && incoming.stamp !== shown.stamp;
  if (reordered && state.over && incoming.first === shown.first && state.goal === null) {
    // A row must not slip away from under the pointer: contents change, the order waits.
    const fresh = new Map(incoming.rows.map((study) => [study.id, study]));
    shown.rows = shown.rows.map((study) => fresh.get(study.id) || study);
    state.held = true;
    say(state, "The order has changed; it is shown when the pointer leaves the list.", true);
  } else {
    if (state.held) say(state, "", false);
    state.held = false;
    state.shown = { ...incoming };
  }
  update(state);
}

// What was said once is not said again, whatever is drawn anew.
let lastSaid = null;

function announce(state, news) {
  if (!news || news.id === lastSaid) return;
  lastSaid = news.id;
  say(state, news.text, false);
}

// Rows outside the part that is here are asked for once the scrolling rests for a moment.
function ask(state) {
  clearTimeout(state.asking);
  state.asking = setTimeout(() => {
    const scroll = state.root.querySelector(".scroll");
    const top = Math.floor(scroll.scrollTop / ROW_PX);
    const bottom = Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW_PX);
    const { first, rows, total } = state.shown;
    if (top < first || (bottom > first + rows.length && first + rows.length < total)) {
      state.setFirst(Math.max(0, top - ABOVE));
    }
  }, ASK_MS);
}

function open(state, row) {
  document.dispatchEvent(new Event("triage-leaving"));
  // The list stays in the document until the next screen is complete: the next keys are for that screen.
  row.blur();
  state.trigger("open", row.dataset.id);
}

function keys(state, event) {
  const row = event.target.closest("tr[data-id]");
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const { shown } = state;
  const at = shown.rows.findIndex((study) => study.id === row.dataset.id) + shown.first;
  const scroll = state.root.querySelector(".scroll");
  const page = Math.max(1, Math.floor(scroll.clientHeight / ROW_PX) - 2);
  const to = {
    ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: shown.total - 1,
  }[event.key];
  if (event.key === "Enter") {
    event.preventDefault();
    open(state, row);
  } else if (to !== undefined) {
    event.preventDefault();
    go(state, Math.min(shown.total - 1, Math.max(0, to)));
  }
}

function go(state, place) {
  const { shown, root } = state;
  state.goal = place;
  if (place >= shown.first && place < shown.first + shown.rows.length) {
    update(state);
    const row = root.activeElement;
    if (row && row.scrollIntoView) row.scrollIntoView({ block: "nearest" });
    return;
  }
  root.querySelector(".scroll").scrollTop = Math.max(0, place * ROW_PX - 2 * ROW_PX);
  ask(state);
}

function wire(root) {
  const none = { first: 0, rows: [], total: 0, stamp: "" };
  const state = { root, shown: none, incoming: none, over: false, held: false, goal: null, current: null };
  const head = root.querySelector("thead tr");
  for (const [name, kind, help] of COLUMNS) {
    const made = element("th", kind, name);
    made.scope = "col";
    made.title = help;
    head.append(made);
  }
  const body = root.querySelector("tbody");
  body.addEventListener("pointerenter", () => { state.over = true; });
  body.addEventListener("pointerleave", () => { state.over = false; take(state); });
  body.addEventListener("keydown", (event) => keys(state, event));
  body.addEventListener("click", (event) => {
    // A middle click or one with Ctrl opens the link in a new tab, as everywhere.
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const row = event.target.closest("tr[data-id]");
    if (!row) return;
    event.preventDefault();
    open(state, row);
  });
  root.querySelector(".scroll").addEventListener("scroll", () => ask(state), { passive: true });
  root.querySelector(".news button").onclick = () => { state.over = false; take(state); };
  state.timer = setInterval(() => update(state), TICK_MS);
  state.resized = () => fit(state);
  window.addEventListener("resize", state.resized);
  return state;
}

// The next screen needs the plotting library: it is loaded while nobody waits for it.
function warm(address) {
  if (address) requestIdleCallback(() => loadPlotly(address).catch(() => {}), { timeout: 4000 });
}

const states = new WeakMap();

export default function (component) {
  const { parentElement: root, data, setTriggerValue, setStateValue } = component;
  let state = states.get(root);
  if (!state) {
    state = wire(root);
    states.set(root, state);
    warm(data && data.library);
  }
  state.trigger = setTriggerValue;
  state.setFirst = (first) => setStateValue("first", first);
  state.incoming = (data && data.part) || state.incoming;
  take(state);
  announce(state, data && data.news);
  return () => {
    clearInterval(state.timer);
    clearTimeout(state.asking);
    clearTimeout(state.quiet);
    window.removeEventListener("resize", state.resized);
    states.delete(root);
  };
}
