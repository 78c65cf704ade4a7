// A list whose server is gone looks like a quiet night. This says since when nothing is new and what to do, and goes by
// itself. Streamlit would open a dialog about the internet, once, that shuts the page off and leaves nothing when closed.
// Back on a server that does not know the page any more (started anew, or after two minutes), Streamlit connects and
// answers no click: such a page is loaded anew.
{
  const LATE_TICKS = 3, FIRST_TICKS = 20, TICK_MS = 1000, ASK_EVERY_MS = 10_000, PATIENCE_MS = 8000;
  // Streamlit forgets a page after 120 s without it. A longer pause between two ticks was a lid that was shut.
  const FORGOTTEN_MS = 100_000, PAUSE_MS = 30_000, HEADER = "Triage-Server";
  // Ticks, not hours: a lid that was shut says nothing of the server.
  let missed = 0, allowed = FIRST_TICKS, answering = true, heard = new Date(), answered = heard, bar = null;
  let ticked = Date.now(), paused = null, lost = null, recovering = false;

  const style = document.createElement("style");
  style.textContent = `
    #triage-connection { position: fixed; inset: 0 0 auto; z-index: 2000000; padding: 0.6rem 1rem; color: #fff;
      background: #8f1d14; border-bottom: 3px solid #fff; font: 1rem/1.4 system-ui, sans-serif; }
    #triage-connection b { font-size: 1.1rem; }`;
  document.head.append(style);

  function tell() {
    if (bar) return;
    bar = document.createElement("div");
    bar.id = "triage-connection";
    bar.setAttribute("role", "alert");
    // An open dialog shuts off everything else, but not this.
    bar.dataset.reactAriaTopLayer = "true";
    const since = document.createElement("b");
    since.textContent = `No connection to the server since ${heard.toLocaleTimeString([], { hour12: false })}.`;
    bar.append(since, " This page is as it was then: new studies and results do not appear, and nothing you enter is "
      + "saved. It goes on by itself when the server answers. Until then, look at the studies on the PACS.");
    document.body.append(bar);
  }

  function dismissStreamlits() {
    for (const dialog of document.querySelectorAll("[role=dialog]")) {
      if (dialog.querySelector("h2")?.textContent !== "Connection error") continue;
      dialog.querySelector("button[aria-label=Close]")?.click();
    }
  }
  const opened = new MutationObserver(dismissStreamlits);

  function ask() {
    return fetch("/_stcore/health", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  // Connected again: goes on where the server still knows the page, and loads it anew where not.
  async function recover() {
    if (recovering) return;
    recovering = true;
    try {
      const known = (await ask()).headers.get(HEADER) === window.triageServer;
      if (!known || Date.now() - lost > FORGOTTEN_MS) {
        location.reload();
        return;
      }
      lost = null;
    } catch {
      // Gone again: the next tick sees it.
    }
    recovering = false;
  }

  setInterval(() => {
    const now = Date.now();
    if (now - ticked > PAUSE_MS) paused = { from: ticked, until: now };
    ticked = now;
    const state = document.querySelector(".stApp")?.dataset.testConnectionState;
    const before = allowed === FIRST_TICKS;
    if (state === "CONNECTED" && answering && lost === null) {
      [missed, allowed, heard] = [0, LATE_TICKS, new Date()];
      bar?.remove();
      bar = null;
      opened.disconnect();
      return;
    }
    if (state === "CONNECTED" && answering) {
      recover();
      return;
    }
    if (state !== "CONNECTED" && !before) drop();
    missed += 1;
    opened.observe(document.body, { childList: true });
    if (missed >= allowed) tell();
  }, TICK_MS);

  function drop() {
    lost ??= paused && Date.now() - paused.until < PAUSE_MS ? paused.from : heard.getTime();
  }
  // A connection may go and come between two ticks.
  new MutationObserver(() => {
    const state = document.querySelector(".stApp")?.dataset.testConnectionState;
    if (allowed !== FIRST_TICKS && state && state !== "CONNECTED") drop();
  }).observe(document, { attributes: true, attributeFilter: ["data-test-connection-state"], subtree: true });

  // A server that hangs keeps its connections.
  setInterval(async () => {
    if (document.hidden) return;
    const asked = new Date();
    try {
      answering = (await ask()).ok;
    } catch {
      answering = false;
    }
    if (answering) answered = asked;
    else if (answered < heard) heard = answered;
  }, ASK_EVERY_MS);
}
