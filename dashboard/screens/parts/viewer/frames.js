// Pictures of the studies on screen, fetched ahead: what is in sight first, then outwards, and further in the direction
// in which one moves. Stored values come whole; on a slow line small previews come first, and are called so.

const AT_ONCE = 4;
const BUDGET_BYTES = 384 * 2 ** 20;
// A stack that would take longer than this to come whole is shown as previews first.
const PATIENCE_MS = 4000;
// Planes from the one in sight that count as near.
const NEAR = 8;
// A line on which nothing has come for so long is dead, whatever the browser knows of it.
const SILENCE_MS = 30_000;
const RETRY_MS = [300, 1000, 3000, 5000];
const VALUES = {
  u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array,
  u4: Uint32Array, i4: Int32Array, f4: Float32Array, f8: Float64Array,
};

class Refused extends Error {}

async function ask(source, path, left) {
  const headers = source.pass ? { "X-Triage-Pass": source.pass } : {};
  for (let attempt = 0; ; attempt += 1) {
    left.throwIfAborted();
    const answer = await fetched(`${source.address}/${path}`, headers, left).catch(() => null);
    left.throwIfAborted();
    if (answer && answer.ok) return answer;
    if (answer && answer.status < 500) {
      const told = await answer.json().catch(() => ({}));
      throw new Refused(told.error || "The server refuses this picture.");
    }
    if (attempt >= RETRY_MS.length) throw new Error("The server does not answer. It is tried again when you move on.");
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS[attempt]));
  }
}

// The answer once it has come whole. Given up where one leaves, and where nothing has come for a while.
async function fetched(address, headers, left) {
  const given = new AbortController();
  const giveUp = () => given.abort();
  let silence = null;
  const heard = () => { clearTimeout(silence); silence = setTimeout(giveUp, SILENCE_MS); };
  // A copy is watched: where the answer itself is read piece by piece, Chromium calls every other one aborted.
  const watch = async (reader) => { while (!(await reader.read()).done) heard(); };
  left.addEventListener("abort", giveUp);
  try {
    heard();
    const answer = await fetch(address, { headers, signal: given.signal, cache: "no-store" });
    heard();
    const [, bytes] = await Promise.all([watch(answer.clone().body.getReader()), answer.arrayBuffer()]);
    return new Response(bytes, answer);
  } finally {
    clearTimeout(silence);
    left.removeEventListener("abort", giveUp);
  }
}

class FrameStore {
  // `arrived(key)` is called for every picture, `trouble(error)` when one cannot be had.
  constructor(arrived, trouble) {
    Object.assign(this, { arrived, trouble, kept: new Map(), loading: new Set(), wanted: [], bytes: 0 });
    Object.assign(this, { leaving: new AbortController(), meanMs: 0, timed: 0, stopped: false });
  }

  static key(source, view, plane) {
    return `${source.address}/${view.id}/${plane}`;
  }

  get(key) {
    return this.kept.get(key);
  }

  // What is wanted, most wanted first: { source, view, plane, now } each.
  plan(wanted) {
    if (this.stopped) return;
    let bytes = 0;
    this.wanted = [];
    for (const one of wanted) {
      const grid = one.view.grids[one.view.planes[one.plane].grid];
      bytes += grid.rows * grid.columns * VALUES[one.view.code].BYTES_PER_ELEMENT;
      if (bytes > BUDGET_BYTES && !one.now) break;
      this.wanted.push({ ...one, key: FrameStore.key(one.source, one.view, one.plane) });
    }
    this.pump();
  }

  missing() {
    return this.wanted.filter((one) => !this.kept.get(one.key)?.whole).length;
  }

  pump() {
    while (this.loading.size < AT_ONCE) {
      const next = this.next();
      if (!next) return;
      this.load(next);
    }
  }

  // On a slow line previews of what is near come first, then what is in sight whole, then the other previews.
  next() {
    const free = (one) => !this.loading.has(one.key);
    const bare = (one) => free(one) && !this.kept.has(one.key);
    const poor = (one) => free(one) && !this.kept.get(one.key)?.whole;
    const slow = this.timed > 2 && (this.meanMs * this.missing()) / AT_ONCE > PATIENCE_MS;
    if (!slow) return this.wanted.find(poor);
    const near = this.wanted.find((one) => bare(one) && one.rank < NEAR);
    if (near) return { ...near, preview: true };
    const now = this.wanted.find((one) => poor(one) && one.now);
    if (now) return now;
    const any = this.wanted.find(bare);
    return any ? { ...any, preview: true } : this.wanted.find(poor);
  }

  async load(one) {
    this.loading.add(one.key);
    const begun = performance.now();
    try {
      const path = `${one.view.id}/${one.plane}/${one.preview ? "preview" : "lossless"}`;
      const answer = await ask(one.source, path, this.leaving.signal);
      const frame = one.preview ? await previewed(answer, one.view) : whole(await answer.arrayBuffer(), one.view);
      if (!one.preview) {
        this.timed += 1;
        this.meanMs += (performance.now() - begun - this.meanMs) / Math.min(this.timed, 8);
      }
      this.keep(one.key, frame);
      this.arrived(one.key);
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      // Until the next move nothing is asked for: a server that refuses is not asked in a circle.
      this.wanted = this.wanted.filter((other) => other.key !== one.key);
      if (error instanceof Refused) this.wanted = [];
      this.trouble(error);
    } finally {
      this.loading.delete(one.key);
    }
    this.pump();
  }

  keep(key, frame) {
    const former = this.kept.get(key);
    if (former) this.bytes -= former.values.byteLength;
    this.kept.delete(key);
    this.kept.set(key, frame);
    this.bytes += frame.values.byteLength;
    if (this.bytes <= BUDGET_BYTES) return;
    const needed = new Set(this.wanted.map((one) => one.key));
    for (const [other, old] of this.kept) {
      if (this.bytes <= BUDGET_BYTES) return;
      if (needed.has(other) || other === key) continue;
      this.kept.delete(other);
      this.bytes -= old.values.byteLength;
    }
  }

  leave() {
    this.stopped = true;
    this.leaving.abort();
    this.kept.clear();
    this.wanted = [];
    this.bytes = 0;
  }
}

function whole(buffer, view) {
  return { values: new VALUES[view.code](buffer), whole: true };
}

// Grey levels 0 to 255 stand for the view's widest window; `scale` and `base` turn them into stored values, roughly.
async function previewed(answer, view) {
  const picture = await createImageBitmap(await answer.blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  const values = new Uint8Array(picture.width * picture.height);
  for (let at = 0; at < values.length; at += 1) values[at] = data[4 * at];
  picture.close();
  const [, low, high] = view.windows.at(-1);
  return { values, whole: false, base: low, scale: (high - low) / 255 };
}

// Grey levels of a frame as canvas pixels, opaque.
function greys(frame, low, high, invert, pixels) {
  const { values } = frame;
  const base = frame.whole ? 0 : frame.base;
  const factor = (255 / (high - low)) * (frame.whole ? 1 : frame.scale);
  const offset = ((base - low) * 255) / (high - low) + 0.5;
  const flip = invert ? 255 : 0;
  for (let at = 0; at < pixels.length; at += 1) {
    const grey = values[at] * factor + offset;
    // Comparisons are false for NaN, which becomes black.
    const level = (grey >= 255 ? 255 : grey > 0 ? grey | 0 : 0) ^ flip;
    pixels[at] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
}
