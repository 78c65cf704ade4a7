// Takes folders, files and archives and streams them to the server. What is under way lives in this module, so it
// outlives a change of screen; what the server knows comes in `data.uploads` and outlives a reload.

const PARALLEL = 4;
const SMALL_FILE = 1 << 20;
const BATCH_BYTES = 8 << 20;
const BATCH_FILES = 400;
const ATTEMPTS = 4;
const POLL_MS = 400;
const LONGEST_NAME = 1000;

const transfers = new Map();
let sequence = 0;
let mounted = null;

// ---- what was dropped ---------------------------------------------------------------------------------------------

async function entriesOf(directory) {
  const reader = directory.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

async function walk(entry, into, transfer) {
  if (transfer.cancelled) return;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    into.push({ file, name: entry.fullPath.replace(/^\//, "") });
  } else if (entry.isDirectory) {
    for (const child of await entriesOf(entry)) await walk(child, into, transfer);
  }
  transfer.found = into.length;
  draw();
}

// ---- one upload ---------------------------------------------------------------------------------------------------

function begin(collect) {
  const transfer = {
    key: ++sequence, phase: "listing", found: 0, files: 0, filesSent: 0, bytes: 0, done: 0, started: Date.now(),
    requests: new Map(), cancelled: false, reason: "", collect, items: null, id: null, token: null,
  };
  transfers.set(transfer.key, transfer);
  run(transfer);
}

async function run(transfer) {
  try {
    if (transfer.items === null) transfer.items = await transfer.collect(transfer);
    if (transfer.cancelled) return;
    if (!transfer.items.length) throw new Error("There is no file in what was dropped.");
    Object.assign(transfer, {
      phase: "sending", files: transfer.items.length, filesSent: 0, done: 0, started: Date.now(),
      bytes: transfer.items.reduce((sum, item) => sum + item.file.size, 0),
    });
    draw();
    const opened = await call("POST", "/api/uploads", null, {}, JSON.stringify({ bytes: transfer.bytes }));
    Object.assign(transfer, { id: opened.upload, token: opened.token });
    const queue = jobsOf(transfer);
    const lane = async () => {
      for (let job = queue.shift(); job && !transfer.cancelled && !transfer.reason; job = queue.shift()) {
        await send(transfer, job);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, lane));
    if (transfer.cancelled) return;
    transfer.phase = "completing";
    draw();
    await call("POST", `/api/uploads/${transfer.id}/complete`, transfer, {}, JSON.stringify({ files: transfer.files }));
    transfer.phase = "received";
    transfer.sentAt = Date.now();
    transfer.items = [];
    say(`Received ${counted(transfer.files, "file")}. Reading.`);
    draw();
    tell(transfer.id);
    await follow(transfer);
  } catch (error) {
    if (transfer.cancelled) return;
    transfer.phase = "failed";
    transfer.reason = error.message || "The connection to the server broke.";
    for (const request of transfer.requests.keys()) request.abort();
    say(`Upload stopped. ${transfer.reason}`);
    draw();
  }
}

// Files are numbered in the order of the requests, so that each request holds a run of numbers.
function jobsOf(transfer) {
  const jobs = [];
  let batch = [];
  let bytes = 0;
  const close = () => {
    if (batch.length) jobs.push({ path: "batch", items: batch, size: bytes });
    batch = [];
    bytes = 0;
  };
  for (const item of transfer.items) {
    if (item.file.size > SMALL_FILE) {
      jobs.push({ path: "files", items: [item], size: item.file.size });
      continue;
    }
    if (bytes + item.file.size > BATCH_BYTES || batch.length >= BATCH_FILES) close();
    batch.push(item);
    bytes += item.file.size;
  }
  close();
  let index = 0;
  for (const job of jobs) {
    job.index = index;
    index += job.items.length;
  }
  return jobs.sort((one, other) => other.size - one.size);
}

function sendable(name) {
  const whole = name.toWellFormed ? name.toWellFormed() : name;
  return whole.slice(-LONGEST_NAME);
}

// uint32 length of the name, the name in UTF-8, uint64 size, the bytes: all lengths big-endian.
function framed(items) {
  const parts = [];
  for (const { file, name } of items) {
    const encoded = new TextEncoder().encode(sendable(name));
    const head = new DataView(new ArrayBuffer(12 + encoded.length));
    head.setUint32(0, encoded.length);
    new Uint8Array(head.buffer).set(encoded, 4);
    head.setBigUint64(4 + encoded.length, BigInt(file.size));
    parts.push(head.buffer, file);
  }
  return new Blob(parts);
}

async function send(transfer, job) {
  const single = job.path === "files";
  const headers = single ? { "X-Triage-Name": encodeURIComponent(sendable(job.items[0].name)) } : {};
  const body = single ? job.items[0].file : framed(job.items);
  await call("PUT", `/api/uploads/${transfer.id}/${job.path}?index=${job.index}`, transfer, headers, body, job.size);
  transfer.filesSent += job.items.length;
  transfer.done += job.size;
  draw();
}

async function call(method, url, transfer, headers, body, size = 0) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(method, url, transfer, headers, body, size);
    } catch (error) {
      if (error.final || attempt >= ATTEMPTS || (transfer && transfer.cancelled)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400 * 2 ** attempt));
    }
  }
}

function once(method, url, transfer, headers, body, size) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const end = () => transfer && transfer.requests.delete(request);
    const fail = (message, final) => { end(); reject(Object.assign(new Error(message), { final })); };
    request.open(method, url);
    request.responseType = "text";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (transfer && transfer.token) request.setRequestHeader("X-Triage-Token", transfer.token);
    if (transfer) {
      transfer.requests.set(request, 0);
      request.upload.onprogress = (event) => {
        if (transfer.requests.has(request)) transfer.requests.set(request, Math.min(event.loaded, size));
        draw();
      };
    }
    request.onload = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText || "{}"); } catch { answer = {}; }
      if (request.status >= 200 && request.status < 300) { end(); resolve(answer); return; }
      const words = answer.error || `The server answered ${request.status}.`;
      fail(String(words), request.status >= 400 && request.status < 500 && request.status !== 429);
    };
    request.onerror = () => fail("The connection to the server broke, or a file cannot be read from this disk.", false);
    request.onabort = () => fail("Cancelled.", true);
    request.send(body === undefined ? null : body);
  });
}

// The server's words about an upload come with the page's own data; asking here only says when to fetch them anew.
async function follow(transfer) {
  let before = "";
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    let state;
    try {
      state = await once("GET", `/api/uploads/${transfer.id}`, transfer, {});
    } catch (error) {
      if (error.final) break;
      transfer.lost = true;
      draw();
      continue;
    }
    transfer.lost = false;
    const now = JSON.stringify(state);
    if (now !== before) tell(transfer.id);
    before = now;
    if (["done", "failed"].includes(state.state)) break;
  }
  transfers.delete(transfer.key);
  tell(transfer.id);
  draw();
}

function cancel(transfer) {
  transfer.cancelled = true;
  for (const request of transfer.requests.keys()) request.abort();
  transfers.delete(transfer.key);
  say("Upload cancelled. Nothing of it will be read.");
  draw();
}

function retry(transfer) {
  Object.assign(transfer, { phase: "listing", reason: "", id: null, token: null, requests: new Map() });
  run(transfer);
  draw();
}

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
      words: transfer.phase === "sending" ? "Sending" : "Making sure all of it is on disk",
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
