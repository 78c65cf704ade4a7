// A plotly figure that is changed in place. Streamlit's own chart is built anew whenever its figure changes, which
// blinks at every step from slice to slice and forgets the zoom.

const plots = new WeakMap();

async function draw(plot) {
  // One drawing at a time; of figures that arrive meanwhile only the latest is drawn.
  if (plot.busy) return;
  plot.busy = true;
  try {
    const Plotly = await loadPlotly(plot.address);
    while (plot.next && plot.host.isConnected) {
      const figure = JSON.parse(plot.next);
      plot.next = null;
      await Plotly.react(plot.host, figure.data, figure.layout, plot.config);
      if (!plot.watched) watch(plot, Plotly);
    }
  } catch (error) {
    plot.host.textContent = error.message;
  } finally {
    plot.busy = false;
  }
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
    plots.set(host, plot);
  }
  host.dataset.kind = data.kind;
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", data.label);
  Object.assign(plot, { address: data.library, config: data.config, trigger: setTriggerValue });
  if (plot.drawn !== data.figure) {
    plot.drawn = plot.next = data.figure;
    draw(plot);
  }
  return () => {
    if (plot.watched) plot.watched.disconnect();
    if (window.Plotly) window.Plotly.purge(host);
    plots.delete(host);
  };
}
