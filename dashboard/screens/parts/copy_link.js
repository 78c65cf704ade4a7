// A link that was just made, copied as soon as it is there where the browser lets a page do that, else by its button.

async function copy(input) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(input.value);
      return true;
    } catch { /* refused without a click; the old way may still work */ }
  }
  input.select();
  return document.execCommand("copy");
}

export default function (component) {
  const { parentElement, data } = component;
  const input = parentElement.querySelector("input");
  const said = parentElement.querySelector(".said");
  const tell = (done) => { said.textContent = done ? "Copied." : "Press Ctrl+C to copy."; };
  // The first part of the address is the server's own: only the browser knows the name it was opened under.
  const view = new URL(window.location.href).searchParams.get("view");
  const query = view ? `?${new URLSearchParams({ view })}` : "";
  const address = `${data.origin || window.location.origin}${data.path}${query}#${data.fragment}`;
  parentElement.querySelector("button").onclick = async () => tell(await copy(input));
  if (input.value === address) return;
  input.value = address;
  copy(input).then((done) => { said.textContent = done ? "Copied." : ""; });
}
