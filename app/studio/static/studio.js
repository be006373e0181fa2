// What every page does: the theme, notices, questions before acting, and reading again while somebody looks.

import { Refusal } from "./api.js";
import { byId } from "./dom.js";

const THEMES = { "": "automatic", light: "light", dark: "dark" };

export function start() {
  const button = byId("theme");
  const show = () => {
    button.textContent = `Theme: ${THEMES[document.documentElement.dataset.theme ?? ""]}`;
  };
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const next = names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length];
    if (next) {
      document.documentElement.dataset.theme = next;
      localStorage.setItem("bowerbird-theme", next);
    } else {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("bowerbird-theme");
    }
    show();
    document.dispatchEvent(new Event("theme"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("theme")));
  show();
}

let hiding;

// A sentence at the foot of the page, also for screen readers.
export function tell(sentence) {
  const notice = byId("notice");
  notice.textContent = sentence;
  notice.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => notice.classList.remove("shown"), 8000);
}

export const sentenceOf = (error) => (error instanceof Refusal ? error.sentence : "The service does not answer. Is it running?");

// True when the reader says yes. `yes` names what happens.
export function ask(title, text, yes) {
  const dialog = byId("ask");
  byId("ask-title").textContent = title;
  byId("ask-text").textContent = text;
  byId("ask-yes").textContent = yes;
  dialog.returnValue = "";
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    byId("ask-no").focus();
  });
}

// Reads again and again while the page is visible; one at a time. The first error is told, and told again when it changes.
export function keepReading(read, seconds) {
  let running = false;
  let last = "";
  const once = async () => {
    if (running || document.hidden) return;
    running = true;
    try {
      await read();
      last = "";
    } catch (error) {
      if (error.name !== "AbortError" && sentenceOf(error) !== last) tell((last = sentenceOf(error)));
      if (!(error instanceof Refusal) && error.name !== "TypeError" && error.name !== "AbortError") console.error(error);
    } finally {
      running = false;
    }
  };
  document.addEventListener("visibilitychange", once);
  setInterval(once, seconds * 1000);
  once();
  return once;
}
