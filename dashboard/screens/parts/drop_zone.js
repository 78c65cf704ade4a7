// The zone itself: what is shown of uploads, and how files get into it. Follows uploading.js. What the server knows
// of uploads comes in `data.uploads` and outlives a reload.

// ---- what is shown ------------------------------------------------------------------------------------------------

function counted(number, noun) {
  return `${number.toLocaleString("en-GB")} ${noun}${number === 1 ? "" : "s"}`;
}

function size(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function span(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`;
}

function describe(transfer) {
  if (transfer.phase === "listing") return { words: "Listing files", detail: counted(transfer.found, "file"), part: 0 };
  if (transfer.phase === "failed") return { words: `Upload stopped. ${transfer.reason}`, detail: "", part: null };
  if (transfer.phase === "sending" || transfer.phase === "completing") {
    let sent = transfer.done;
    for (const loaded of transfer.requests.values()) sent += loaded;
    sent = Math.min(sent, transfer.bytes);
    const seconds = (Date.now() - transfer.started) / 1000;
    const left = seconds > 2 && sent > 0 ? `, about ${span((seconds / sent) * (transfer.bytes - sent))} left` : "";
    return {
      words: transfer.stalled ? `Trying again. ${transfer.stalled}`
        : transfer.phase === "sending" ? "Sending" : "Making sure all of it is on disk",
      detail: `${transfer.filesSent.toLocaleString("en-GB")} of ${counted(transfer.files, "file")} · ` +
        `${size(sent)} of ${size(transfer.bytes)}${transfer.phase === "sending" ? left : ""}`,
      part: transfer.bytes ? sent / transfer.bytes : 1,
    };
  }
  if (transfer.lost) {
    return { words: "The server does not answer; what it received is safe on its disk", detail: "", part: null };
  }
  return { words: "Received, waiting to be read", detail: counted(transfer.files, "file"), part: 0 };
}

function row(key) {
  const list = mounted.root.querySelector(".transfers");
  let item = list.querySelector(`li[data-key="${key}"]`);
  if (!item) {
    item = document.createElement("li");
    item.dataset.key = key;
    item.innerHTML = '<div class="line"><span class="words"></span><span class="detail"></span></div>' +
      '<div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><i></i></div>';
    list.append(item);
  }
  return item;
}

function fill(item, { words, detail, part, failed, done }, actions) {
  const set = (selector, value) => {
    const element = item.querySelector(selector);
    if (element.textContent !== value) element.textContent = value;
  };
  set(".words", words || "");
  set(".detail", detail || "");
  item.className = failed ? "failed" : done ? "done" : "";
  const bar = item.querySelector(".bar");
  const percent = Math.round((part || 0) * 100);
  bar.hidden = part === null || part === undefined;
  bar.setAttribute("aria-valuenow", percent);
  bar.setAttribute("aria-label", words || "");
  bar.firstChild.style.width = `${percent}%`;
  const wanted = actions.map(([label]) => label).join("|");
  const line = item.querySelector(".line");
  if (item.dataset.actions === wanted) return;
  item.dataset.actions = wanted;
  for (const old of line.querySelectorAll("button")) old.remove();
  for (const [label, act] of actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.onclick = act;
    line.append(button);
  }
}

let scheduled = false;
function draw() {
  if (scheduled) return;
  scheduled = true;
  setTimeout(() => { scheduled = false; drawNow(); }, 100);
}

function drawNow() {
  if (!mounted) return;
  const keep = new Set();
  const uploads = mounted.data.uploads || [];
  const sending = new Set();
  for (const transfer of transfers.values()) {
    const told = transfer.phase === "received" && !transfer.lost && uploads.some((upload) => upload.id === transfer.id);
    if (told) continue;
    keep.add(`t${transfer.key}`);
    sending.add(transfer.id);
    const failed = transfer.phase === "failed";
    const actions = failed
      ? [["Try again", () => retry(transfer)], ["Dismiss", () => { transfers.delete(transfer.key); draw(); }]]
      : transfer.phase === "received" ? [] : [["Cancel", () => cancel(transfer)]];
    fill(row(`t${transfer.key}`), { ...describe(transfer), failed }, actions);
  }
  for (const upload of uploads) {
    if (sending.has(upload.id)) continue;
    keep.add(upload.id);
    const actions = upload.rejected ? [["Files not used", () => leave("rejected", upload.id)]] : [];
    if (upload.finished) actions.push(["Dismiss", () => mounted.trigger("dismiss", upload.id)]);
    fill(row(upload.id), { ...upload, done: upload.finished && !upload.failed }, actions);
  }
  const earlier = mounted.root.querySelector(".earlier");
  earlier.hidden = !mounted.data.earlier;
  earlier.textContent = mounted.data.earlier ? counted(mounted.data.earlier, "earlier upload") : "";
  for (const item of mounted.root.querySelectorAll(".transfers li")) {
    if (!keep.has(item.dataset.key)) item.remove();
  }
}

function say(words) {
  if (mounted) mounted.root.querySelector(".spoken").textContent = words;
}

// News may wait while the page changes to another screen: the two must not cross.
let leaving = false;
document.addEventListener("triage-leaving", () => { leaving = true; });

function leave(kind, value) {
  document.dispatchEvent(new Event("triage-leaving"));
  mounted.trigger(kind, value);
}

function tell(id) {
  if (mounted && !leaving) mounted.trigger("changed", `${id}:${Date.now()}`);
}

// ---- wiring -------------------------------------------------------------------------------------------------------

function chosen(input) {
  const files = Array.from(input.files);
  input.value = "";
  if (files.length) begin(async () => files.map((file) => ({ file, name: file.webkitRelativePath || file.name })));
}

function dropped(event) {
  mounted.root.querySelector(".target").classList.remove("over");
  // Entries can be asked for only while the event lasts; the walk through them comes after.
  const items = Array.from(event.dataTransfer.items || []).filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
  const files = items.map((item, index) => (entries[index] ? null : item.getAsFile())).filter(Boolean);
  begin(async (transfer) => {
    const found = files.map((file) => ({ file, name: file.name }));
    for (const entry of entries.filter(Boolean)) await walk(entry, found, transfer);
    return found;
  });
}

function carriesFiles(event) {
  return event.dataTransfer && Array.from(event.dataTransfer.types || []).includes("Files");
}

// The whole page takes a drop: a file that misses the zone would otherwise replace the page. On a screen without
// the zone a drop does nothing.
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = mounted ? "copy" : "none";
  if (mounted) mounted.root.querySelector(".target").classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (mounted && event.relatedTarget === null) mounted.root.querySelector(".target").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  if (mounted) dropped(event);
});

window.addEventListener("beforeunload", (event) => {
  const sending = [...transfers.values()].some((transfer) => ["listing", "sending", "completing"].includes(transfer.phase));
  if (sending) event.preventDefault();
});

export default function (component) {
  const { parentElement: root, data, setTriggerValue } = component;
  const first = !mounted || mounted.root !== root;
  if (first) leaving = false;
  mounted = { root, data: data || {}, trigger: setTriggerValue };
  const find = (selector) => root.querySelector(selector);
  find(".target").classList.toggle("large", Boolean(mounted.data.large));
  if (first) {
    find(".choose-files").onclick = () => find(".files").click();
    find(".choose-folder").onclick = () => find(".folder").click();
    find(".earlier").onclick = () => leave("earlier", Date.now());
    find(".files").onchange = (event) => chosen(event.target);
    find(".folder").onchange = (event) => chosen(event.target);
  }
  drawNow();
  return () => {
    if (mounted && mounted.root === root) mounted = null;
  };
}
