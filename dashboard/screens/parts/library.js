// The plotting library, loaded once for the page, whoever asks first. Goes before the scripts that need it.

function loadPlotly(address) {
  window.spineTriagePlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      window.spineTriagePlotly = null;
      reject(new Error("The plotting library could not be loaded from this server; reload the page."));
    };
    document.head.append(script);
  });
  return window.spineTriagePlotly;
}

