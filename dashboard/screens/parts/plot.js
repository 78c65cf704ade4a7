// A plotly figure that is changed in place. Streamlit's own chart is built anew whenever its figure changes, which
// blinks at every step from slice to slice and forgets the zoom.

const plots = new WeakMap();

async function draw(plot) {
  // One drawing at a time; of figures that arrive meanwhile only the latest is drawn, and a file is made of that one.
  if (plot.busy) return;
  plot.busy = true;
  try {
    const Plotly = await loadPlotly(plot.address);
    while ((plot.next || plot.save) && plot.host.isConnected) {
      if (plot.next) {
        const figure = JSON.parse(themed(plot));
        plot.next = null;
        await Plotly.react(plot.host, figure.data, figure.layout, plot.config);
        if (!plot.watched) watch(plot, Plotly);
      } else {
        await saveFile(plot, Plotly);
      }
    }
  } catch (error) {
    plot.host.textContent = error.message;
  } finally {
    plot.busy = false;
  }
}

// The figure in the colours of the page's theme.
function themed({ host, next, light }) {
  if (getComputedStyle(host).colorScheme !== "light") return next;
  return Object.entries(light).reduce((text, [from, to]) => text.replaceAll(`"${from}"`, `"${to}"`), next);
}

async function saveFile(plot, Plotly) {
  const { name, words, text } = plot.save;
  plot.save = null;
  const address = text
    ? URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }))
    : await picture(plot.host, Plotly, words);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// The figure as it is on the page, zoom and all, with a line below that says what it is. Nothing is sent anywhere.
function picture(host, Plotly, words) {
  const layout = structuredClone(host.layout);
  const margin = { ...layout.margin };
  const line = 34;
  margin.b = (margin.b ?? 0) + line;
  const note = {
    text: words, x: 0, y: 0, xref: "paper", yref: "paper", xanchor: "left", yanchor: "top",
    yshift: -(margin.b - line) - 8, showarrow: false, font: { size: 11 },
  };
  const annotations = [...(layout.annotations ?? []), note];
  return Plotly.toImage(
    { data: host.data, layout: { ...layout, margin, annotations } },
    { format: "png", width: host.clientWidth, height: host.clientHeight + line, scale: 2 },
  );
}

// Where a viewer beside the profile has moved to, without asking the server; `index` as in a point's customdata.
function mark({ host }, index) {
  const points = host.data?.find((trace) => trace.customdata);
  const along = points?.x[points.customdata.indexOf(index)];
  const lines = host.layout?.shapes ?? [];
  if (along === undefined || !window.Plotly) return;
  const moves = {};
  lines.forEach((line, at) => {
    if (line.name !== "current") return;
    // The frame round a grade is as wide in pixels wherever it stands.
    for (const side of line.xsizemode === "pixel" ? ["xanchor"] : ["x0", "x1"]) moves[`shapes[${at}].${side}`] = along;
  });
  window.Plotly.relayout(host, moves);
}

function watch(plot, Plotly) {
  plot.watched = new ResizeObserver(() => {
    if (plot.host.isConnected && plot.host.offsetParent) Plotly.Plots.resize(plot.host);
  });
  plot.watched.observe(plot.host);
  plot.host.on("plotly_click", (event) => {
    const point = event.points.find((one) => Number.isInteger(one.customdata));
    if (point) plot.trigger("picked", point.customdata);
  });
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const host = parentElement.querySelector(".triage-plot");
  let plot = plots.get(host);
  if (!plot) {
    plot = { host, busy: false, next: null, watched: null };
    plot.repaint = () => {
      plot.next = plot.drawn;
      draw(plot);
    };
    plot.follow = (event) => mark(plot, event.detail);
    window.addEventListener("spine-triage-theme", plot.repaint);
    window.addEventListener("spine-triage-slice", plot.follow);
    plots.set(host, plot);
  }
  host.dataset.kind = data.kind;
  host.style.height = data.height ? `${data.height}px` : "";
  // Not "img": the buttons in it can be reached.
  host.setAttribute("role", "figure");
  host.setAttribute("aria-label", data.label);
  Object.assign(plot, { address: data.library, config: data.config, light: data.light, trigger: setTriggerValue });
  if (plot.drawn !== data.figure) plot.drawn = plot.next = data.figure;
  if (data.save && plot.saved !== data.save.number) {
    plot.saved = data.save.number;
    plot.save = data.save;
  }
  if (plot.next || plot.save) draw(plot);
  return () => {
    window.removeEventListener("spine-triage-theme", plot.repaint);
    window.removeEventListener("spine-triage-slice", plot.follow);
    if (plot.watched) plot.watched.disconnect();
    if (window.Plotly) window.Plotly.purge(host);
    plots.delete(host);
  };
}
