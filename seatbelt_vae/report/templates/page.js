"use strict";
// The page's only script: draws the six pictures for the chosen λ or ε, and sorts tables. Nothing is fetched.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const node = (name, props = {}, ...children) => {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
};

// --- numbers ---------------------------------------------------------------------------------------------------
const minus = (text) => text.replace("-", "−");
function number(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size > 4 || size < -3) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    return node("span", {}, minus(mantissa) + "×10", node("sup", { textContent: minus(String(+power)) }));
  }
  return minus(value.toFixed(Math.max(0, Math.min(4, digits - 1 - size))));
}
const power = (value) => (value === 0 ? null : String(+Math.log2(value).toFixed(1)));
const plain = () => attack().symbol !== "λ"; // a radius is written as it is, a penalty as a power of two
const budgetNode = (value) =>
  value === 0 || plain() ? String(+value.toPrecision(4)) : node("span", {}, "2", node("sup", { textContent: minus(power(value)) }));
const budgetWords = (value) => (value === 0 || plain() ? String(+value.toPrecision(4)) : `2 to the power ${power(value)}`);

// --- pixels ----------------------------------------------------------------------------------------------------
const cache = new Map();
function load(uri) {
  if (!cache.has(uri)) {
    const image = new Image();
    image.src = uri;
    cache.set(uri, image.decode().then(() => image));
  }
  return cache.get(uri);
}
async function tile(uri, [height, width], place = 0) {
  const image = await load(uri);
  const canvas = node("canvas", { width, height });
  const left = (place % data.columns) * width, top = Math.floor(place / data.columns) * height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, left, top, width, height, 0, 0, width, height);
  return pen.getImageData(0, 0, width, height);
}
const STOPS = data.diverging.map((c) => [1, 3, 5].map((at) => parseInt(c.slice(at, at + 2), 16)));
function diverging(value, out, at) {
  const place = (Math.max(-1, Math.min(1, value)) + 1) / 2 * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place)), part = place - low;
  for (let c = 0; c < 3; c++) out[at + c] = STOPS[low][c] + part * (STOPS[low + 1][c] - STOPS[low][c]);
}
// Stored are bytes 128 + 127·gain·d. Gives x* = x + d, and d on a centred scale multiplied by `show`.
function compose(source, stored, gain, show, colour) {
  const adversarial = new ImageData(source.width, source.height);
  const distortion = new ImageData(source.width, source.height);
  for (let at = 0; at < source.data.length; at += 4) {
    for (let c = 0; c < 3; c++) {
      const d = (stored.data[at + c] - 128) / 127 / gain;
      adversarial.data[at + c] = source.data[at + c] + 255 * d;
      distortion.data[at + c] = 127.5 + 127.5 * show * d;
    }
    if (!colour) diverging((stored.data[at + 1] - 128) / 127 / gain * show, distortion.data, at);
    adversarial.data[at + 3] = distortion.data[at + 3] = 255;
  }
  return [adversarial, distortion];
}

// --- the explorer ----------------------------------------------------------------------------------------------
const TITLES = ["Original x", "Reconstruction", "Adversarial x*", "Distortion d", "Reconstruction of x*", "Target xₜ"];
const SIDE = "Models differ in where they give way, so they can also be set side by side at the same distortion.";
const LEAD = {
  penalty: `Move λ, the price of distortion: on the right the attack changes nothing, on the left it may change what it likes. ${SIDE}`,
  radius: `Move ε, the radius of the ball that holds the distortion: on the left the attack may change little, on the right much. ${SIDE}`,
};
const state = { attack: 0, pair: 0, model: -1, match: "budget", budget: null, most: 0.5 };
let rows = [], turn = 0;

function option(select, labels, first = 0) {
  select.replaceChildren(...labels.map((label, at) => node("option", { value: at + first, textContent: label })));
}
const attack = () => data.attacks[state.attack];
const shownModels = () => attack().models.filter((_, at) => state.model < 0 || at === state.model);

function choose(model) {
  const relative = model.relative[state.pair];
  if (state.match === "figures") return model.shown[state.pair];
  if (state.match === "budget") {
    const wanted = attack().models[0].budgets[state.budget];
    const distance = (value) => Math.abs(Math.log2(value || 1e-9) - Math.log2(wanted || 1e-9));
    return model.budgets.reduce((best, value, at) => (distance(value) < distance(model.budgets[best]) ? at : best), 0);
  }
  let best = -1;
  relative.forEach((value, at) => {
    if (value <= state.most && (best < 0 || model.success[state.pair][at] > model.success[state.pair][best])) best = at;
  });
  return best < 0 ? relative.indexOf(Math.min(...relative)) : best;
}

function buildRows() {
  rows = shownModels().map((model) => {
    const [height, width] = attack().size;
    const canvases = TITLES.map((title) => {
      const canvas = node("canvas", { width, height });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${model.label}: ${title}`);
      return canvas;
    });
    const key = node("span", { className: "key" });
    key.style.background = data.colours[model.slot % data.colours.length];
    const numbers = node("dl");
    const pictures = canvases.map((canvas, at) => node("figure", {}, canvas, node("figcaption", { textContent: TITLES[at] })));
    const header = node("header", {}, node("h3", {}, key, model.label), numbers);
    return { model, canvases, numbers, row: node("section", { className: "model" }, header, ...pictures) };
  });
  $("models").replaceChildren(...rows.map(({ row }) => row));
}

function setControls() {
  const slider = $("slider"), budgets = attack().models[0].budgets, byBudget = state.match === "budget";
  const usual = attack().models.map(({ shown }) => shown[state.pair]).sort((a, b) => a - b);
  state.budget = Math.min(state.budget ?? usual[usual.length >> 1], budgets.length - 1);
  slider.disabled = state.match === "figures";
  Object.assign(slider, byBudget ? { min: 0, max: budgets.length - 1, step: 1 } : { min: 0, max: 1, step: 0.02 });
  slider.value = byBudget ? state.budget : state.most;
  $("low").replaceChildren(byBudget ? budgetNode(budgets[0]) : "0");
  $("high").replaceChildren(byBudget ? budgetNode(budgets.at(-1)) : "1");
  for (const place of document.querySelectorAll(".symbol")) place.textContent = attack().symbol;
  $("lead").textContent = LEAD[plain() ? "radius" : "penalty"];
  option($("pair"), attack().source.map((_, at) => `${at + 1} of ${attack().source.length}`));
  option($("model"), ["All", ...attack().models.map(({ label }) => label)], -1);
  $("pair").value = state.pair;
  $("model").value = state.model;
}

function sayWhere() {
  const slider = $("slider"), wanted = attack().models[0].budgets[state.budget];
  const [name, shown, words] = {
    budget: [`${attack().symbol} = `, budgetNode(wanted), `${attack().symbol} = ${budgetWords(wanted)}`],
    distortion: ["‖d‖ ≤ ", `${state.most.toFixed(2)} ‖x − xₜ‖`, `distortion at most ${state.most.toFixed(2)}`],
    figures: ["", `each model at its own ${attack().symbol}`, `each model at its own ${attack().symbol}`],
  }[state.match];
  $("where").replaceChildren(name, shown);
  slider.setAttribute("aria-valuetext", words);
}

async function draw() {
  const mine = ++turn, { size, colour, unit } = attack(), pair = state.pair;
  sayWhere();
  const picked = rows.map(({ model }) => choose(model));
  const show = Math.min(...rows.map(({ model }, at) => model.gains[pair][picked[at]]));
  const parts = await Promise.all(rows.map(async ({ model }, at) => {
    const sheet = model.sheets[pair], place = 1 + 2 * model.places[pair][picked[at]];
    const [source, target] = await Promise.all([tile(attack().source[pair], size), tile(attack().target[pair], size)]);
    const [clean, stored, output] = await Promise.all([0, place, place + 1].map((number) => tile(sheet, size, number)));
    return [source, clean, ...compose(source, stored, model.gains[pair][picked[at]], show, colour), output, target];
  }));
  if (mine !== turn) return; // another choice was made meanwhile
  rows.forEach(({ model, canvases, numbers }, at) => {
    canvases.forEach((canvas, n) => canvas.getContext("2d").putImageData(parts[at][n], 0, 0));
    const k = picked[at], of = (name) => model[name][pair][k];
    const line = (term, ...value) => node("div", {}, node("dt", { textContent: term }), node("dd", {}, ...value));
    numbers.replaceChildren(
      line(attack().symbol, budgetNode(model.budgets[k])),
      line("‖d‖", number(of("distortion"))),
      line("‖d‖/‖x−xₜ‖", number(of("relative"), 2)),
      line("success", number(of("success"), 2)),
      line("−log p(xₜ|z*)", number(of("nll")), " ± ", number(of("error"), 2), " nats"),
      line("Δ", number(of("objective")), ` ${unit}`),
    );
    canvases[3].setAttribute("aria-label", `${model.label}: ${TITLES[3]}, shown times ${show}`);
  });
  $("gain").textContent = `distortion shown ×${show}: full scale is ±${show > 1 ? `1/${show}` : 1} of the data’s range`;
  const ramp = colour ? ["#000", "#808080", "#fff"] : data.diverging;
  $("ramp").style.background = `linear-gradient(90deg, ${ramp.join(", ")})`;
}

function restart(change) {
  Object.assign(state, change);
  setControls();
  buildRows();
  return draw();
}
if (data.attacks.length) {
  option($("attack"), data.attacks.map(({ title }) => title));
  $("attack").onchange = (event) => {
    const pairs = data.attacks[+event.target.value].source.length;
    restart({ attack: +event.target.value, pair: Math.min(state.pair, pairs - 1), model: -1 });
  };
  $("pair").onchange = (event) => restart({ pair: +event.target.value });
  $("model").onchange = (event) => restart({ model: +event.target.value });
  $("slider").oninput = (event) => {
    if (state.match === "budget") state.budget = +event.target.value;
    else state.most = +event.target.value;
    draw();
  };
  for (const radio of document.querySelectorAll("input[name=match]")) {
    radio.onchange = () => restart({ match: radio.value });
    radio.checked = radio.value === state.match;
  }
  $("explorer").hidden = false;
  restart({}).then(() => document.documentElement.setAttribute("data-ready", "true"));
}

// --- tables sorted by their headings ---------------------------------------------------------------------------
for (const button of document.querySelectorAll(".sort")) {
  button.onclick = () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const upward = head.getAttribute("aria-sort") === "descending" || !head.hasAttribute("aria-sort");
    const key = (line) => line.cells[head.cellIndex].dataset.value ?? line.cells[head.cellIndex].textContent;
    const order = (a, b) => (isNaN(a) || isNaN(b) ? String(a).localeCompare(b) : a - b) * (upward ? 1 : -1);
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", upward ? "ascending" : "descending");
    body.append(...[...body.rows].sort((a, b) => order(key(a), key(b))));
  };
}
