// Asks for news every so often, once the last answer is here and nobody is just about to do something. A fragment's
// own `run_every` does neither: a refresh that meets a change of screen leaves an empty page behind.

const QUIET_MS = 2500;

// By the place each ticker has on the page: a screen may hold several.
const waiting = new Map();
let busyUntil = 0;

function schedule(place, entry, delay) {
  entry.timer = setTimeout(() => {
    const wait = Math.max(busyUntil - Date.now(), document.hidden ? 1000 : 0);
    if (wait > 0) {
      schedule(place, entry, wait);
      return;
    }
    forget(place);
    entry.ask();
  }, delay);
}

function forget(place) {
  clearTimeout(waiting.get(place)?.timer);
  waiting.delete(place);
}

for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => { busyUntil = Date.now() + QUIET_MS; }, true);
}
document.addEventListener("triage-leaving", () => { for (const place of [...waiting.keys()]) forget(place); });

export default function (component) {
  const { data, setTriggerValue, parentElement } = component;
  forget(parentElement);
  const entry = { ask: () => setTriggerValue("tick", data.stamp), timer: null };
  waiting.set(parentElement, entry);
  schedule(parentElement, entry, data.every_ms);
  return () => { if (waiting.get(parentElement) === entry) forget(parentElement); };
}
