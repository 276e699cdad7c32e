// Ties each control of a form to the note under it, and marks it as invalid while the note holds an error:
// what ipywidgets can't say. In an update's form it also puts what Stripe has into the controls that nobody
// touched. That text is drawn and nothing else: it is in no widget's state, and so in no saved notebook. A
// control that is altered sends what it then holds, as any other does.
const FIELDS = "input, textarea, select";

function controlOf(note) {
  const holder = note.closest(".widget-html, .jupyter-widgets");
  return holder && holder.previousElementSibling;
}

function mark(note, field) {
  if (!note.id) note.id = "sm-note-" + Math.random().toString(36).slice(2);
  if (field.getAttribute("aria-describedby") !== note.id) field.setAttribute("aria-describedby", note.id);
  if (note.querySelector(".sm-bad")) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function holds(field) {
  if (field.tagName !== "SELECT") return field.value;
  return field.multiple ? [...field.selectedOptions].map((each) => each.textContent).join("\n")
    : field.selectedIndex > 0 ? field.value : "";
}

function choose(field, texts) {
  const options = [...field.options];
  if (field.multiple) options.forEach((each) => { each.selected = texts.includes(each.textContent); });
  else field.selectedIndex = Math.max(0, options.findIndex((each) => each.textContent === texts[0]));
}

function draw(field, text) {
  if (field.tagName === "SELECT") choose(field, text.split("\n"));
  else field.value = text;
}

function put(field, text) {
  const before = field.dataset.smDrawn;
  if (before !== undefined && before !== text) {
    if (holds(field) === before) draw(field, "");
    delete field.dataset.smDrawn;
  }
  if (!text || field === document.activeElement || holds(field)) return;
  draw(field, text);
  field.dataset.smDrawn = holds(field);
}

function offer(note, known, model) {
  const said = JSON.stringify([known.words, known.actions]);
  const old = note.querySelector(":scope > .sm-offer");
  if (old && old.dataset.said === said) return;
  if (old) old.remove();
  const place = document.createElement("span");
  place.className = "sm-offer";
  place.dataset.said = said;
  place.append(known.words);
  for (const [word, label] of known.actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-label", label + " " + known.title);
    button.addEventListener("click", () => model.send({[word]: note.dataset.field}));
    place.append(button);
  }
  note.append(place);
}

const REACHED = "button, input, textarea, select, [tabindex='0']";

function reachable(place) {
  return [...place.querySelectorAll(REACHED)].filter(
    (each) => !each.disabled && !each.classList.contains("mod-danger") && each.getClientRects().length);
}

// A button that is pressed often makes way for others (Create for Cancel, Clear for Keep). Where it had the
// focus, the focus goes to what stands in its place instead of to the page, which for somebody without a
// mouse is the way back to the top. Never to what can't be undone, never away from where a person is.
// It lives as long as the form: this view of ours is drawn again whenever the form's parts change.
function keeper(root) {
  let places = [], timer;
  const took = (event) => {
    places = [];
    for (let at = event.target.parentElement; at && root.contains(at); at = at.parentElement) {
      places.push([at, Math.max(0, reachable(at).indexOf(event.target)), event.target]);
    }
  };
  const lost = (event) => setTimeout(() => {
    if (event.target.isConnected && document.activeElement !== event.target && places.length
      && places[0][2] === event.target) places = [];
  }, 0);
  const back = () => {
    if (!places.length || places[0][2].isConnected || document.activeElement !== document.body) return;
    for (const [place, at] of places) {
      const there = place.isConnected ? reachable(place) : [];
      if (there.length) {
        there[Math.min(at, there.length - 1)].focus({ preventScroll: true });
        return;
      }
    }
  };
  const changed = () => {
    if (!places.length || places[0][2].isConnected) return;
    clearTimeout(timer);
    timer = setTimeout(back, 150); // what comes in its place is drawn after it is gone
  };
  root.addEventListener("focusin", took);
  root.addEventListener("focusout", lost);
  return changed;
}

export default {
  render({ model, el }) {
    guard();
    el.style.display = "none";
    let observer, root, unwatch;
    let fields = {};
    const show = () => root.querySelectorAll(".sm-note").forEach((note) => {
      const control = controlOf(note);
      const field = control && control.querySelector(FIELDS);
      const known = fields[note.dataset.field];
      if (field) {
        mark(note, field);
        if (!known || !known.grows) put(field, known && !known.touched ? known.text : "");
      }
      if (control) control.classList.toggle("sm-altered", Boolean(known && known.touched));
      if (known) offer(note, known, model);
      else note.querySelectorAll(":scope > .sm-offer").forEach((each) => each.remove());
    });
    const heard = (message) => {
      if (!message || !message.fields) return;
      fields = message.fields;
      if (root) show();
    };
    const altered = (event) => {
      const note = [...root.querySelectorAll(".sm-note")].find((each) => {
        const control = controlOf(each);
        return control && control.querySelector(FIELDS) === event.target;
      });
      const known = note && fields[note.dataset.field];
      if (!known || known.grows || !known.text || holds(event.target).trim()) return;
      // after ipywidgets has sent its own news of it
      const word = event.target.tagName === "SELECT" ? "keep" : "clear";
      setTimeout(() => model.send({[word]: note.dataset.field}), 0);
    };
    const left = () => setTimeout(() => root.isConnected && show(), 0);
    const start = () => {
      if (el.parentElement) {
        el.parentElement.classList.add("sm-marked");
        // margins of ipywidgets make a box 4 px wider than its place
        el.parentElement.style.overflowX = "clip";
      }
      unwatch = liveness(model, el);
      root = el.closest(".sm-form");
      if (!root) return;
      show();
      root.smFocusChanged ??= keeper(root);
      root.smFocusChanged();
      observer = new MutationObserver(() => { show(); root.smFocusChanged(); });
      observer.observe(root, { childList: true, subtree: true, characterData: true });
      root.addEventListener("change", altered, true);
      root.addEventListener("focusout", left);
      model.send({ ready: true });
    };
    model.on("msg:custom", heard);
    requestAnimationFrame(start);
    return () => {
      model.off("msg:custom", heard);
      if (unwatch) unwatch();
      if (observer) observer.disconnect();
      if (root) {
        root.removeEventListener("change", altered, true);
        root.removeEventListener("focusout", left);
      }
    };
  },
};
