// The public HTTP API, and nothing else. A key, where the service wants one, lives as long as the tab.

import { byId } from "./dom.js";

const KEY = "bowerbird-key";

export class Refusal extends Error {
  constructor(status, { code, message, remedy }) {
    super(message);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }

  get sentence() {
    return `${this.message} ${this.remedy}`;
  }
}

export const get = (path, options = {}) => call("GET", path, options);
export const post = (path, body, options = {}) => call("POST", path, { ...options, body });

// `path` with its parameters; those without a value are left out.
export function address(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  return `${path}?${new URLSearchParams(given)}`;
}

export async function call(method, path, { body, signal } = {}) {
  const headers = {};
  const key = sessionStorage.getItem(KEY);
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status === 401 && (await askForKey())) return call(method, path, { body, signal });
  if (!answer.ok) throw new Refusal(answer.status, await problem(answer));
  return answer.status === 204 ? null : answer.json();
}

async function problem(answer) {
  const otherwise = { code: `http_${answer.status}`, message: `The service answered ${answer.status}.`, remedy: "See its log." };
  try {
    return { ...otherwise, ...(await answer.json()) };
  } catch {
    return otherwise;
  }
}

// One question for all requests that wait for it.
let asking = null;

function askForKey() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("key");
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        const key = byId("key-text").value.trim();
        asking = null;
        if (dialog.returnValue === "use" && key) sessionStorage.setItem(KEY, key);
        resolve(dialog.returnValue === "use" && key !== "");
      },
      { once: true },
    );
    dialog.showModal();
  });
  return asking;
}

export const keyText = () => sessionStorage.getItem(KEY) ?? undefined;
export const needsKey = () => sessionStorage.getItem(KEY) !== null;
