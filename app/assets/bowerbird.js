// Tells Bowerbird what people see and click.
/**
 * Everybody can read the key. `cookie` names one for a random client id; else there is none.
 * @typedef {{endpoint?: string, key?: string, views?: boolean, clientId?: string, cookie?: string}} Options
 * The ids are for the searches; absent, and nothing is sent, where the browser asks for privacy.
 * @typedef {{sessionId?: string, clientId?: string, event: Tell, flush: () => void, stop: () => void}} Tracker
 * @typedef {(action: string, queryId: string, itemId: string, position?: number) => void} Tell
 */
(() => {
  /** @type {any} */
  const [page, browser] = [window, navigator];
  const ITEM = "data-bowerbird-item", QUERY = "data-bowerbird-query-id";
  const newId = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

  function sessionId() {
    try {
      return (sessionStorage.bowerbird ||= newId());
    } catch {
      return newId(); // no storage
    }
  }

  /** @param {string} name */
  function cookieId(name) {
    const id = document.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1] ?? newId();
    document.cookie = `${name}=${id}; path=/; max-age=31536000; samesite=lax`;
    return id;
  }

  /** Query, item and place around a node. @param {any} node */
  function result(node) {
    const item = node.closest?.(`[${ITEM}]`)?.dataset;
    const query = node.closest?.(`[${QUERY}]`)?.dataset.bowerbirdQueryId;
    return item && query && [query, item.bowerbirdItem, Number(item.bowerbirdPosition)];
  }

  /** Tells of results half visible for a second. @param {(item: Element) => void} seen */
  function watch(seen) {
    const known = new WeakMap(), timers = new WeakMap();
    const visible = new IntersectionObserver((changes) => {
      for (const { target, intersectionRatio: part } of changes) {
        clearTimeout(timers.get(target));
        if (part >= 0.5) timers.set(target, setTimeout(seen, 1000, target));
      }
    }, { threshold: 0.5 });
    function observe() {
      for (const item of document.querySelectorAll(`[${ITEM}]`)) {
        const what = String(result(item));
        if (known.get(item) === what) continue;
        known.set(item, what);
        visible.unobserve(item); // another result in its element begins anew
        visible.observe(item);
      }
    }
    const drawn = { subtree: true, childList: true, attributeFilter: [ITEM, QUERY] };
    new MutationObserver(observe).observe(document, drawn);
    observe();
  }

  /** A second call ends the first. @param {Options} [options] @returns {Tracker} */
  function track({ endpoint = "", key, views = true, clientId, cookie } = {}) {
    page.bowerbird.tracker?.stop();
    if (browser.globalPrivacyControl || browser.doNotTrack === "1") return { event() {}, flush() {}, stop() {} };
    const url = endpoint.replace(/\/+$/, "") + "/v1/events", viewed = new Set();
    const ids = { session_id: sessionId(), client_id: clientId || (cookie && cookieId(cookie)) };
    let on = true, timer = 0, waiting = /** @type {object[]} */ ([]);

    function flush() {
      clearTimeout(timer);
      timer = 0;
      while (waiting.length) send(waiting.splice(0, 50));
    }

    /** @param {object[]} events */
    async function send(events) {
      const body = JSON.stringify(events); // text: no matter for CORS
      if (!key && browser.sendBeacon?.(url, body)) return; // a beacon can't carry a key
      const how = key ? { headers: { authorization: "Bearer " + key } } : { mode: /** @type {const} */ ("no-cors") };
      const answer = await fetch(url, { ...how, method: "POST", body, keepalive: true }).catch(() => null);
      // With the next: an event counts once per id.
      if (!answer || answer.status === 429 || answer.status > 499) waiting = [...events, ...waiting].slice(0, 200);
    }

    /** @type {(...what: any[]) => void} */
    function event(action_name, query_id, object_id, ordinal) {
      const event_attributes = { object: { object_id }, position: ordinal > 0 ? { ordinal } : undefined };
      if (on) waiting.push({ event_id: newId(), action_name, query_id, ...ids, event_attributes });
      timer ||= setTimeout(flush, 1000);
    }

    /** @param {Event} click */
    const clicked = ({ target }) => result(target) && event("click", ...result(target));
    /** @param {Element} item */
    function seen(item) {
      const found = result(item), what = String(found);
      if (document.hidden || !found || viewed.has(what)) return;
      viewed.add(what);
      event("view", ...found);
    }

    addEventListener("click", clicked, true);
    addEventListener("auxclick", (click) => click.button === 1 && clicked(click), true);
    addEventListener("pagehide", flush);
    document.addEventListener("visibilitychange", () => document.hidden && flush());
    if (views) watch(seen);
    const stop = () => (flush(), void (on = false));
    return (page.bowerbird.tracker = { sessionId: ids.session_id, clientId: ids.client_id, event, flush, stop });
  }

  page.bowerbird ??= { track };
})();
