// Asks for news every so often, once the last answer is here and nobody is just about to do something. A fragment's
// own `run_every` does neither: a refresh that meets a change of screen leaves an empty page behind.

const QUIET_MS = 2500;

let timer = null;
let due = null;
let busyUntil = 0;

function schedule(delay) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const wait = Math.max(busyUntil - Date.now(), document.hidden ? 1000 : 0);
    if (wait > 0) {
      schedule(wait);
      return;
    }
    const ask = due;
    due = null;
    if (ask) ask();
  }, delay);
}

for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => { busyUntil = Date.now() + QUIET_MS; }, true);
}
document.addEventListener("triage-leaving", () => { due = null; });

export default function (component) {
  const { data, setTriggerValue } = component;
  due = () => setTriggerValue("tick", data.stamp);
  schedule(data.every_ms);
  return () => { due = null; };
}
