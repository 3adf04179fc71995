// Makes a page move that is complete without it: server-sent changes, the visitor's own time, minutes left.
(() => {
  "use strict";
  const main = document.querySelector("main");
  let behind = 0; // the server's clock minus this machine's, in milliseconds

  const plural = (n, unit) => `${n} ${unit}${n === 1 ? "" : "s"}`;
  const left = (ms) => {
    const minutes = Math.ceil(ms / 60000);
    const [d, h, m] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
    const parts = d > 0 ? [[d, "day"], [h, "hour"]] : [[h, "hour"], [m, "minute"]];
    return parts.filter(([n]) => n > 0).map(([n, unit]) => plural(n, unit)).join(" ");
  };
  const count = () => {
    for (const el of document.querySelectorAll("[data-until]")) {
      const ms = Date.parse(el.dataset.until) - (Date.now() + behind);
      const opens = el.dataset.verb === "Opens";
      const over = opens ? "Opening" : el.dataset.verb === "Kept until" ? "The time is over" : "The deadline has passed";
      const words = ms <= 0 ? over
        : opens ? `Opens in ${left(ms)}` : `${left(ms)} left`;
      if (el.textContent !== words) el.textContent = words;
    }
  };

  // The visitor's own time beside the campaign's, where the two clocks differ.
  const local = () => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const format = new Intl.DateTimeFormat("en-GB", {
      weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZone: own,
    });
    for (const el of document.querySelectorAll("time[data-local]")) {
      const told = el.dataset.local;
      delete el.dataset.local;
      const at = new Date(el.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: own }).format(at);
      if (told === clock) continue;
      el.insertAdjacentText("afterend", ` (yours: ${format.format(at)})`);
    }
  };

  const apply = (message) => {
    if (message["@now"]) behind = Date.parse(message["@now"]) - Date.now();
    if (message["@go"]) return location.assign(message["@go"]);
    if (message["@reload"]) return location.reload();
    for (const [key, html] of Object.entries(message)) {
      for (const el of document.querySelectorAll("[data-live]")) {
        if (el.dataset.live === key && el.innerHTML !== html) el.innerHTML = html;
      }
    }
    local();
    count();
  };

  const drawn = document.querySelector("[data-now]");
  if (drawn) behind = Date.parse(drawn.dataset.now) - Date.now();
  if (Math.abs(behind) < 120000) behind = 0; // a page kept in memory is a little old; a moved clock is not
  local();
  count();
  setInterval(count, 20000);
  const events = main && main.dataset.events;
  const refresh = main && Number(main.dataset.refresh);
  if (refresh > 0) setTimeout(() => location.reload(), refresh * 1000); // what a browser without script does by itself
  // A page that was left may be kept whole for the way back, its stream too: of those a browser opens six to one place,
  // and the seventh page would wait for ever. So the stream ends with the page, and begins again with it.
  let stream = null;
  const listen = () => {
    stream = new EventSource(events);
    stream.onmessage = (e) => {
      try {
        apply(JSON.parse(e.data));
      } catch (_) { /* the page stays as it was drawn */ }
    };
  };
  if (events && "EventSource" in window) {
    listen();
    addEventListener("pagehide", () => stream.close());
    addEventListener("pageshow", (e) => { if (e.persisted) listen(); });
  }
})();
