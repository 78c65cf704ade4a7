// Before Streamlit draws anything: the theme that the person chose (theme_switch.js), which Streamlit looks for under the
// address that a page is loaded at. Otherwise it would begin with the system's, and switching it once the page is drawn
// takes the click, the key or the popover that somebody has opened meanwhile.
{
  const name = localStorage.getItem("spine-triage-theme") === "Light" ? "Light" : "Dark";
  localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, JSON.stringify(name));
  document.documentElement.style.colorScheme = name.toLowerCase();
}
