// What every widget of ours puts in front of its own script and calls: guard().

// What is typed is sent when its field is left. Where a press on a button is what leaves it, notes that come
// or go may move the button away under the pointer, and the browser makes no click of it: then this does. Not
// for touch, where the browser sends mouse down, the leaving of the field, mouse up and click at once when
// the finger is lifted, nor for keys, which reach the button wherever it stands.
const OURS = ".sm-form, .sm-table, .sm-marked, .sm-watch";
const GUARD = Symbol.for("stripe_magics.guard");

function pressed(down) {
  const button = down.target.closest && down.target.closest("button");
  if (!button || down.button !== 0 || down.pointerType === "touch" || !button.closest(OURS)) return;
  let clicked = false;
  const heard = () => { clicked = true; };
  const released = (up) => {
    const still = Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY) < 5;
    setTimeout(() => { // the browser's own click comes first
      button.removeEventListener("click", heard);
      if (!clicked && still && button.isConnected && !button.disabled) button.click();
    }, 0);
  };
  button.addEventListener("click", heard, { once: true });
  window.addEventListener("pointerup", released, { once: true, capture: true });
}

// JupyterLab takes the keys of its command mode wherever no text is edited: an arrow in a list of choices
// would move to the next cell, and two "d" on a button would delete the form's. This attribute is how Lumino
// is told to leave a key alone; it has to be on what has the focus. Ctrl+S and the like stay JupyterLab's.
const SUPPRESS = "data-lm-suppress-shortcuts";

function typed(event) {
  const control = event.target;
  if (!control.closest || !control.closest(OURS)) return;
  const passedOn = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape";
  if (passedOn) control.removeAttribute(SUPPRESS);
  else control.setAttribute(SUPPRESS, "true");
}

// One of each for the page, whichever of our widgets is drawn first; newer ones take their place.
function guard() {
  const listeners = [[document, "pointerdown", pressed], [window, "keydown", typed]];
  for (const [place, event, listener] of document[GUARD] || []) {
    place.removeEventListener(event, listener, true);
  }
  for (const [place, event, listener] of listeners) place.addEventListener(event, listener, true);
  document[GUARD] = listeners;
}
