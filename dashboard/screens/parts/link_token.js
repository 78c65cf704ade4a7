// Hands the token of a share link to the screen. It stands behind the # of the address, which browsers keep to
// themselves: it is in no request, no log and no Referer. From the address bar it goes at once, so that it stays out
// of the history and of photographs of the screen; until the tab closes it is kept for a reload.

const KEPT = "spine-triage-link";
const NONE = "none";
const FORM = /^[A-Za-z0-9_-]{20,128}$/;

function take() {
  const token = window.location.hash.slice(1);
  if (!token) return;
  window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  if (FORM.test(token)) sessionStorage.setItem(KEPT, token);
  else sessionStorage.removeItem(KEPT);
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const fresh = Boolean(window.location.hash.slice(1));
  take();
  if (data.ask || fresh) setTriggerValue("token", sessionStorage.getItem(KEPT) || NONE);
  const changed = () => {
    if (!window.location.hash.slice(1)) return;
    take();
    setTriggerValue("token", sessionStorage.getItem(KEPT) || NONE);
  };
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
