// Uploads from this page: what was dropped, and how it gets to the server. What is under way lives in this module, so
// it outlives a change of screen. Goes before drop_zone.js, which shows it.

const PARALLEL = 4;
const SMALL_FILE = 1 << 20;
const BATCH_BYTES = 8 << 20;
const BATCH_FILES = 400;
// Enough for a server that is being restarted.
const ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 5000;
// A line on which nothing has moved for so long is dead, whatever the browser knows of it.
const SILENCE_MS = 60_000;
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
    const opened = await call("POST", "/api/uploads", transfer, {}, JSON.stringify({ bytes: transfer.bytes }));
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
      const answer = await once(method, url, transfer, headers, body, size);
      if (transfer) transfer.stalled = "";
      return answer;
    } catch (error) {
      if (error.final || attempt >= ATTEMPTS || (transfer && transfer.cancelled)) throw error;
      if (transfer) transfer.stalled = error.message;
      draw();
      await new Promise((resolve) => setTimeout(resolve, Math.min(400 * 2 ** attempt, LONGEST_PAUSE_MS)));
    }
  }
}

function once(method, url, transfer, headers, body, size) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let silence = null;
    const end = () => { clearTimeout(silence); if (transfer) transfer.requests.delete(request); };
    const fail = (message, final) => { end(); reject(Object.assign(new Error(message), { final })); };
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => { fail("The server has stopped answering.", false); request.abort(); }, SILENCE_MS);
    };
    request.open(method, url);
    request.responseType = "text";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (transfer && transfer.token) request.setRequestHeader("X-Triage-Token", transfer.token);
    if (transfer) {
      transfer.requests.set(request, 0);
      request.upload.onprogress = (event) => {
        heard();
        if (transfer.requests.has(request)) transfer.requests.set(request, Math.min(event.loaded, size));
        if (event.loaded && size) transfer.stalled = "";
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
    heard();
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
  Object.assign(transfer, { phase: "listing", reason: "", stalled: "", id: null, token: null, requests: new Map() });
  run(transfer);
  draw();
}
