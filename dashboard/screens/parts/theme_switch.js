// The person's theme: dark until they choose otherwise, the same in every tab and on every screen.
//
// Streamlit has no call to change its theme. Its own menu, which this page hides, has; we press its buttons, so that
// everything it draws follows at once and nothing is loaded anew. A page begins with the choice (first_paint.js).

const CHOICE = "spine-triage-theme";
const FRAMES = 120;

const shown = () => (getComputedStyle(document.querySelector(".stApp")).colorScheme === "light" ? "Light" : "Dark");
const chosen = () => (localStorage.getItem(CHOICE) === "Light" ? "Light" : "Dark");
const frame = () => new Promise(requestAnimationFrame);

async function until(find) {
  for (let left = FRAMES; left > 0; left -= 1) {
    const found = find();
    if (found) return found;
    await frame();
  }
  throw new Error("The theme could not be changed; reload the page.");
}

async function show(name) {
  if (shown() !== name) {
    const focused = document.activeElement;
    const menu = await until(() => document.querySelector('[data-testid="stMainMenuButton"]'));
    if (menu.getAttribute("aria-expanded") !== "true") menu.click();
    (await until(() => document.querySelector(`[data-testid="stMainMenuItem-theme-${name}"]`))).click();
    await until(() => shown() === name);
    if (menu.getAttribute("aria-expanded") === "true") menu.click();
    focused?.focus?.();
    window.dispatchEvent(new Event("spine-triage-theme"));
  }
  // For what lies outside the page's frame: popovers, and the window's own scroll bars.
  document.documentElement.style.colorScheme = name.toLowerCase();
}

export default function (component) {
  const { parentElement } = component;
  const button = parentElement.querySelector("button");
  const said = parentElement.querySelector(".said");
  const follow = async () => {
    const name = chosen();
    const words = `Switch to the ${name === "Light" ? "dark" : "light"} theme`;
    button.setAttribute("aria-label", words);
    button.title = words;
    try {
      window.spineTriageTheme = (window.spineTriageTheme ?? Promise.resolve()).then(() => show(name));
      await window.spineTriageTheme;
      said.textContent = "";
    } catch (error) {
      window.spineTriageTheme = null;
      said.textContent = error.message;
    }
  };
  button.onclick = () => {
    localStorage.setItem(CHOICE, chosen() === "Light" ? "Dark" : "Light");
    follow();
  };
  // Another tab.
  const heard = (event) => event.key === CHOICE && follow();
  window.addEventListener("storage", heard);
  follow();
  return () => window.removeEventListener("storage", heard);
}
