// Other findings by level: a list whose lines lead to their place in the pictures, by mouse or keyboard, without asking
// the server. Every text is set as text, never as markup.

const lists = new WeakMap();
const ONLY_SUSPECTED = "spine-triage-only-suspected";
const FILTERS = [["Suspected only", true], ["All", false]];

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

function lineOf(list, one) {
  const line = element("li", one.status);
  const go = element("button", "go");
  go.type = "button";
  const level = element("span", "level", one.level ? `${one.level}${one.certain ? "" : "?"}` : "–");
  const doubt = !one.level ? "level unknown" : one.certain ? "" : "level uncertain";
  if (doubt) {
    level.title = doubt;
    level.append(element("span", "unseen", ` ${doubt}`));
  }
  go.append(level, element("span", "what", one.what));
  if (one.measure) go.append(element("span", "measure", one.measure));
  go.disabled = !one.view;
  go.title = one.view ? "Show this place in the pictures" : "";
  go.addEventListener("click", () => {
    list.root.querySelector("[aria-current]")?.removeAttribute("aria-current");
    go.setAttribute("aria-current", "true");
    window.dispatchEvent(new CustomEvent("spine-triage-place", { detail: { view: one.view, at: one.at } }));
  });
  const status = element("span", one.status === "not_analysed" ? "status reason" : "status");
  const sign = element("span", "", `${one.sign} `);
  sign.setAttribute("aria-hidden", "true");
  status.append(sign, `${one.status_words}${one.probability ? ` · P ${one.probability}` : ""}`);
  line.append(go, status);
  if (one.scale) {
    const details = element("details");
    details.append(element("summary", "", one.scale), element("p", "", one.detail));
    line.append(details);
  }
  return line;
}

// Up and down go from line to line; Enter and the space bar are the button's own.
function byKeys(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.matches(".go")) return;
  const lines = [...event.currentTarget.querySelectorAll("li:not([hidden]) .go:not(:disabled)")];
  const next = lines[lines.indexOf(event.target) + step];
  // The viewer's keys are the same: here they are the list's.
  event.preventDefault();
  event.stopPropagation();
  next?.focus();
}

function filter(list) {
  const lines = [...list.root.querySelectorAll("li")];
  const some = lines.some((one) => one.classList.contains("suspected"));
  for (const one of lines) one.hidden = list.only && some && !one.classList.contains("suspected");
  const bar = list.root.querySelector(".filter");
  bar.hidden = !some || lines.every((one) => one.classList.contains("suspected"));
  [...bar.children].forEach((one, at) => one.setAttribute("aria-pressed", String(FILTERS[at][1] === list.only)));
}

function fill(list, data) {
  const { root } = list;
  root.querySelector("h2").textContent = data.title;
  const note = root.querySelector(".note");
  note.textContent = data.note;
  note.hidden = !data.note;
  root.querySelector(".counts").textContent = data.counts;
  root.querySelector("ol").replaceChildren(...data.lines.map((one) => lineOf(list, one)));
  root.querySelector(".filter").replaceChildren(...FILTERS.map(([words, only]) => {
    const made = element("button", "", words);
    made.type = "button";
    made.addEventListener("click", () => {
      list.only = only;
      localStorage.setItem(ONLY_SUSPECTED, String(only));
      filter(list);
    });
    return made;
  }));
  filter(list);
}

function save({ name, text }) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = element("a");
  Object.assign(link, { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

export default function (component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector(".findings");
  let list = lists.get(root);
  if (!list) {
    list = { root, only: localStorage.getItem(ONLY_SUSPECTED) !== "false" };
    root.querySelector("ol").addEventListener("keydown", byKeys);
    lists.set(root, list);
  }
  const shown = JSON.stringify([data.title, data.note, data.counts, data.lines]);
  if (list.shown !== shown) {
    list.shown = shown;
    fill(list, data);
  }
  if (data.save && list.saved !== data.save.number) {
    list.saved = data.save.number;
    save(data.save);
  }
}
