const { page, ask, trials } = JSON.parse(document.getElementById("data").textContent);
const at = id => document.getElementById(id);

// A listener's name gives the order: the same name the same order, another name another.
function seedOf(text) {
  let hash = 2166136261;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  return hash >>> 0;
}
function chanceOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
function shuffled(items, chance) {
  const made = [...items];
  for (let i = made.length - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1));
    [made[i], made[j]] = [made[j], made[i]];
  }
  return made;
}
function ordered(listener) {
  const chance = chanceOf(seedOf(`${page} ${listener}`));
  return shuffled(trials, chance).map(trial => ({ id: trial.id, clips: shuffled(trial.clips, chance) }));
}

// Answers are kept as they are given, for each listener of this page.
const kept = {
  key: listener => `idlora-listening ${page} ${listener}`,
  read: listener => JSON.parse(localStorage.getItem(kept.key(listener)) ?? "{}"),
  write: (listener, answers) => localStorage.setItem(kept.key(listener), JSON.stringify(answers)),
};
function cell(value) {
  const text = String(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
function csvOf(listener, answers, order) {
  const lines = [["page", "listener", "position", "trial", "left", "right", "answer", "seconds"]];
  order.forEach((trial, position) => {
    const given = answers[trial.id];
    if (given) lines.push([page, listener, position + 1, trial.id, trial.clips[0], trial.clips[1] ?? "", given.answer, given.seconds]);
  });
  return lines.map(line => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

let listener = "", order = [], answers = {}, shownAt = 0, place = 0;

function begin(name) {
  listener = name;
  localStorage.setItem(`idlora-listening ${page}`, listener);
  order = ordered(listener);
  answers = kept.read(listener);
  at("start").hidden = true;
  at("test").hidden = false;
  const open = order.findIndex(trial => !(trial.id in answers));
  go(open < 0 ? order.length - 1 : open);
}
function go(to) {
  place = Math.max(0, Math.min(to, order.length - 1));
  shownAt = performance.now();
  at("place").textContent = `${place + 1} of ${order.length}, ${Object.keys(answers).length} answered`;
  at("back").disabled = place === 0;
  at("on").disabled = place === order.length - 1;
  at("export").disabled = Object.keys(answers).length === 0;
  show(order[place], answers[order[place].id]?.answer);
}
function answer(value) {
  const seconds = Math.round((performance.now() - shownAt) / 100) / 10;
  answers[order[place].id] = { answer: value, seconds };
  kept.write(listener, answers);
  go(place + 1 < order.length ? place + 1 : place);
}
function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csvOf(listener, answers, order)], { type: "text/csv" }));
  link.download = `answers ${listener.replace(/[^\w-]+/g, "_")}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
at("ask").textContent = ask;
at("back").addEventListener("click", () => go(place - 1));
at("on").addEventListener("click", () => go(place + 1));
at("export").addEventListener("click", save);
at("start").addEventListener("submit", event => {
  event.preventDefault();
  const name = at("listener").value.trim();
  if (name) begin(name);
});
const before = new URLSearchParams(location.search).get("listener") ?? localStorage.getItem(`idlora-listening ${page}`);
if (before) queueMicrotask(() => begin(before));
