// Ties each control of a form to the note under it, and marks it as invalid while the note holds an error: what ipywidgets can't say.
const FIELDS = "input, textarea, select";

function mark(root) {
  root.querySelectorAll(".sm-note").forEach((note) => {
    const holder = note.closest(".widget-html, .jupyter-widgets");
    const control = holder && holder.previousElementSibling;
    const field = control && control.querySelector(FIELDS);
    if (!field) return;
    if (!note.id) note.id = "sm-note-" + Math.random().toString(36).slice(2);
    field.setAttribute("aria-describedby", note.id);
    if (note.querySelector(".sm-bad")) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  });
}

export default {
  render({ model, el }) {
    el.style.display = "none";
    let observer;
    const start = () => {
      const root = el.closest(".sm-form");
      if (!root) return;
      mark(root);
      observer = new MutationObserver(() => mark(root));
      observer.observe(root, { childList: true, subtree: true, characterData: true });
    };
    requestAnimationFrame(start);
    return () => observer && observer.disconnect();
  },
};
