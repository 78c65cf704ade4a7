// The worklist as a real table: arrow keys and Enter, rows that keep their place while the pointer is over them.
// Every text is set as text, never as markup: names and descriptions are data from outside.

const TICK_MS = 15000;

function waited(iso) {
  const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(iso)) / 60000));
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
  const days = Math.floor(minutes / 1440);
  if (days < 60) return `${days} d`;
  return days < 730 ? `${Math.floor(days / 30.4)} mo` : `${Math.floor(days / 365.25)} y`;
}

function remaining(iso) {
  const minutes = Math.floor((Date.parse(iso) - Date.now()) / 60000);
  if (minutes < 0) return "over";
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} left`;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

const COLUMNS = [
  ["Tier", "How soon a person should look. Suggested by the software; it sorts, it never hides."],
  ["Grade", "Suspected Bilsky (ESCC) grade of the worst supported slice, 0 to 3, and its band"],
  ["P(high)", "Calibrated probability of grade 2 or 3, 0 to 1"],
  ["Where", "Level, or position along the body axis where no level is named"],
  ["Patient", "Name, number and birth date as the scanner sent them; kept encrypted on this machine"],
  ["Why", "The first reason for this place in the list"],
  ["Waiting", "Hours and minutes since the study was received"],
  ["Clocks", "Time since the scan, and what is left of 24 hours since the scan where compression is suspected. " +
    "NICE NG234: treatment of confirmed cord compression within 24 h (source to be confirmed). " +
    "The clock of a patient starts with the symptoms, which this list does not know."],
  ["Status", "What has happened to the study so far"],
];

const NUMBERS = new Set(["P(high)", "Waiting"]);

function cells(study) {
  const tier = element("td", "tier");
  const mark = element("span", "mark", study.mark);
  mark.setAttribute("aria-hidden", "true");
  tier.append(mark, element("span", "", study.tier_words));

  const grade = element("td", "nowrap");
  grade.append(element("span", "grade", study.grade || "–"), element("span", "sub", study.band));

  const patient = element("td", "patient");
  const link = element("a");
  link.href = study.href;
  link.tabIndex = -1;
  link.dir = "auto";
  link.append(element("b", "", study.patient));
  patient.append(link, element("span", "sub", study.patient_detail));
  if (study.synthetic) patient.append(element("span", "synthetic", "synthetic"));

  const why = element("td", "why", study.why);
  if (study.why_more) why.append(element("span", "sub", study.why_more));

  const waiting = element("td", "number", waited(study.received_at));
  const clocks = element("td", "nowrap");
  clocks.append(element("span", "", study.acquired_at ? `scan ${waited(study.acquired_at)} ago` : "scan time unknown"));
  if (study.clock_ends_at) clocks.append(element("span", "sub", `24 h: ${remaining(study.clock_ends_at)}`));

  const status = element("td", "", study.status);
  if (study.status_detail) status.append(element("span", "sub", study.status_detail));
  return [
    tier, grade, element("td", "number", study.p_high), element("td", "nowrap", study.where), patient, why, waiting,
    clocks, status,
  ];
}

const signatures = new WeakMap();

function update(state) {
  const { root, order } = state;
  const body = root.querySelector("tbody");
  const focused = root.activeElement && root.activeElement.dataset && root.activeElement.dataset.id;
  const known = new Map(Array.from(body.children, (row) => [row.dataset.id, row]));
  order.forEach((study, place) => {
    let row = known.get(study.id);
    known.delete(study.id);
    if (!row) {
      row = element("tr");
      row.dataset.id = study.id;
    }
    // The minute is part of the signature: clocks move on, nothing else is touched.
    const signature = JSON.stringify(study) + Math.floor(Date.now() / TICK_MS);
    if (signatures.get(row) !== signature) {
      signatures.set(row, signature);
      row.dataset.tier = study.tier;
      row.className = study.unread ? "unread" : "";
      row.setAttribute("aria-label", study.spoken);
      row.replaceChildren(...cells(study));
    }
    if (body.children[place] !== row) body.insertBefore(row, body.children[place] || null);
  });
  for (const row of known.values()) row.remove();
  const rows = Array.from(body.children);
  const current = rows.find((row) => row.dataset.id === (focused || state.current)) || rows[0];
  rows.forEach((row) => { row.tabIndex = row === current ? 0 : -1; });
  if (focused && current && root.activeElement !== current) current.focus({ preventScroll: true });
}

function take(state) {
  const { root, incoming } = state;
  const held = state.order.map((study) => study.id).join() !== incoming.map((study) => study.id).join();
  const news = root.querySelector(".news");
  if (held && state.over && state.order.length) {
    // A row must not slip away from under the pointer: contents change, the order waits.
    const fresh = new Map(incoming.map((study) => [study.id, study]));
    const added = incoming.filter((study) => !state.order.some((old) => old.id === study.id));
    state.order = state.order.filter((study) => fresh.has(study.id)).map((study) => fresh.get(study.id));
    news.hidden = false;
    news.querySelector("span").textContent = added.length
      ? `${added.length} new: ${added[0].tier_words}. The list is re-ordered when the pointer leaves it.`
      : "The order has changed. The list is re-ordered when the pointer leaves it.";
  } else {
    news.hidden = true;
    state.order = incoming;
  }
  update(state);
}

function announce(state) {
  const urgent = state.incoming.filter((study) => ["immediate", "urgent"].includes(study.tier));
  const fresh = state.seen && urgent.filter((study) => !state.seen.has(study.id));
  if (fresh && fresh.length) {
    state.root.querySelector(".live").textContent = `New: ${fresh[0].spoken}`;
  }
  state.seen = new Set(urgent.map((study) => study.id));
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
  const rows = Array.from(row.parentNode.children);
  const at = rows.indexOf(row);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (event.key === "Enter") {
    event.preventDefault();
    open(state, row);
  } else if (to !== undefined) {
    event.preventDefault();
    const next = rows[Math.min(rows.length - 1, Math.max(0, to))];
    rows.forEach((other) => { other.tabIndex = other === next ? 0 : -1; });
    state.current = next.dataset.id;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}

function wire(root) {
  const state = { root, order: [], incoming: [], over: false, seen: null, current: null, trigger: null };
  const head = root.querySelector("thead tr");
  for (const [name, help] of COLUMNS) {
    const cell = element("th", NUMBERS.has(name) ? "number" : "", name);
    cell.scope = "col";
    cell.title = help;
    head.append(cell);
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
  root.querySelector(".news button").onclick = () => { state.over = false; take(state); };
  state.timer = setInterval(() => update(state), TICK_MS);
  return state;
}

// The next screen needs the plotting library: it is loaded while nobody waits for it.
function warm(address) {
  if (address) requestIdleCallback(() => loadPlotly(address).catch(() => {}), { timeout: 4000 });
}

const states = new WeakMap();

export default function (component) {
  const { parentElement: root, data, setTriggerValue } = component;
  let state = states.get(root);
  if (!state) {
    state = wire(root);
    states.set(root, state);
    warm(data && data.library);
  }
  state.trigger = setTriggerValue;
  state.incoming = (data && data.studies) || [];
  announce(state);
  take(state);
  return () => {
    clearInterval(state.timer);
    states.delete(root);
  };
}
