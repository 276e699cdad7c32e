"""How forms look, and who closes them.

- `CSS` is one small sheet under the class `sm-form`; it takes JupyterLab's colours where there are any, so that it follows a dark theme.
- A `WidgetRegistry` makes every widget of one form: widgets share a handful of layouts and one style a class (each would else bring two models of
  its own), and closing the tree closes all of them, so that no model is left in the kernel.
- Works on ipywidgets 7.7.1 and 8: which style class a control takes is asked of the control.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as w

LABEL_WIDTH = "176px"

LAYOUTS: dict[str, dict[str, str]] = {
    "root": {"width": "100%", "max_width": "860px"},
    "field": {"width": "560px", "max_width": "100%"},
    "wide": {"width": "560px", "max_width": "100%"},
    "rows": {"width": "100%", "max_width": "800px"},
    "long": {"width": "560px", "max_width": "100%", "height": "58px"},
    "many": {"width": "560px", "max_width": "100%", "height": "112px"},
    "cell": {"width": "200px"},
    "beside": {"width": "470px"},
    "before_date": {"width": "376px"},
    "small": {"width": "84px"},
    "date": {"width": "178px"},
    "row": {"width": "100%", "flex_flow": "row wrap"},
    "column": {"width": "100%"},
    "button": {"width": "auto", "max_width": "100%"},
    "group": {"width": "100%"},
    "note": {"width": "100%", "margin": "0"},
    "full": {"width": "100%"},
}

CSS = """<style>
.sm-form{border:1px solid var(--jp-border-color2,#d8dce3);border-radius:8px;padding:0 16px 14px;background:var(--jp-layout-color1,#fff)}
.sm-form .widget-label,.sm-form .widget-inline-hbox .widget-label{white-space:normal;height:auto;line-height:1.1;align-self:center;
 font-size:12.5px;font-weight:500;overflow:visible}
.sm-form .widget-textarea .widget-label,.sm-form .widget-select .widget-label{align-self:flex-start;padding-top:7px}
.sm-form .sm-rows{padding-left:182px}.sm-form .sm-rows .widget-button{align-self:flex-start}
.sm-form .widget-hbox .sm-private{margin:2px 0 4px 182px}
.sm-form .sm-rows .widget-hbox{width:auto;background:var(--jp-layout-color2,#f7f8fa);border-radius:6px;padding:4px 6px;margin:2px 0}
.sm-form button.sm-problem{text-align:left;color:#b42318;background:transparent;text-decoration:underline;height:auto;line-height:1.5;
 white-space:normal;padding:0 2px}
.sm-form .widget-box{overflow:visible}
.sm-strip{display:flex;gap:10px;align-items:center;margin:0 -16px;padding:7px 16px;border-radius:8px 8px 0 0;font-size:12px;line-height:1.4;
 background:#e8ecf2;color:#30394a;border-bottom:1px solid #d3dae4}
.sm-strip.sm-live{background:#b42318;color:#fff;border-color:#912018}
.sm-strip b{letter-spacing:.06em;padding:1px 8px;border-radius:10px;background:#56637a;color:#fff;font-size:11px}
.sm-strip.sm-sandbox b{background:#3f5fbf}.sm-strip.sm-live b{background:#fff;color:#b42318}.sm-strip.sm-none b{background:#8a6d1d}
.sm-head{display:flex;align-items:baseline;gap:12px;margin:12px 0 2px}
.sm-head h3{margin:0;font-size:17px;font-weight:600;color:var(--jp-ui-font-color0,#1a1f29)}
.sm-head code{font-size:11px;color:var(--jp-ui-font-color2,#667085);background:none}
.sm-lead{margin:0 0 8px;color:var(--jp-ui-font-color2,#667085);font-size:12.5px;line-height:1.45;max-width:720px}
.sm-note{margin:-1px 0 5px 184px;font-size:11.5px;line-height:1.4;color:var(--jp-ui-font-color2,#667085);max-width:560px;white-space:normal}
.sm-note .sm-bad{display:block;color:#b42318;font-weight:600}.sm-note .sm-ok{display:block;color:#147a48;font-weight:600}
.sm-note .sm-old{display:block;color:#93580a}.sm-form .sm-bar{margin-top:2px}
.sm-form .sm-group button,.sm-form button.sm-group{text-align:left;font-weight:600;background:transparent;border:0;box-shadow:none;
 border-top:1px solid var(--jp-border-color2,#e3e6ec);border-radius:0;padding-left:2px;height:33px;margin:0;color:var(--jp-ui-font-color0,#1a1f29)}
.sm-form button.sm-group:focus-visible,.sm-form button:focus-visible{outline:2px solid #3f5fbf;outline-offset:1px}
.sm-body{padding:2px 0 8px}
.sm-line{display:flex;gap:8px;align-items:flex-start;margin:10px 0 8px;background:var(--jp-layout-color2,#f4f6f9);border-radius:6px;padding:7px 9px}
.sm-line pre{margin:0;flex:1;min-width:0;white-space:pre-wrap;overflow-wrap:break-word;word-break:normal;font-size:12px;line-height:1.5;background:none;color:var(--jp-ui-font-color1,#222)}
.sm-line button{border:1px solid var(--jp-border-color2,#c9d0da);border-radius:5px;background:var(--jp-layout-color1,#fff);
 color:inherit;font-size:11.5px;padding:2px 10px;cursor:pointer}
.sm-card{border-radius:6px;padding:8px 12px;margin:6px 0;font-size:12.5px;line-height:1.5;border-left:4px solid #8a94a6;
 background:var(--jp-layout-color2,#f4f6f9);color:var(--jp-ui-font-color1,#222);overflow-wrap:anywhere}
.sm-card.sm-good{border-color:#147a48}.sm-card.sm-wrong{border-color:#b42318}.sm-card.sm-ask{border-color:#b97309}
.sm-card pre{margin:4px 0 0;white-space:pre-wrap;font-size:11.5px;background:none;color:inherit}
.sm-card table{border-collapse:collapse;font-size:11.5px;margin-top:4px}.sm-card td{padding:1px 14px 1px 0;text-align:left;vertical-align:top}
</style>"""


class WidgetRegistry:
    """The widgets of one form, with their shared layouts and styles. `close()` leaves nothing in the kernel."""

    def __init__(self) -> None:
        self.widgets: list[Any] = []
        self.closed = False
        self._layouts: dict[str, Any] = {}
        self._styles: dict[tuple[type, str], Any] = {}

    def layout(self, name: str) -> Any:
        """The layout of that name, made once."""
        if name not in self._layouts:
            self._layouts[name] = w.Layout(**LAYOUTS[name])
        return self._layouts[name]

    def make(self, kind: type, layout: str, *, narrow: bool = False, **traits: Any) -> Any:
        """A widget with a shared layout and style; `narrow`: its label takes no more room than it needs."""
        style = _style_class(kind)
        if style is not None:
            traits["style"] = self._style(style, "initial" if narrow else LABEL_WIDTH)
        widget = kind(layout=self.layout(layout), **traits)
        self.widgets.append(widget)
        return widget

    def adopt(self, root: Any) -> None:
        """Close `root` with the rest."""
        self.widgets.append(root)

    def drop(self, *widgets: Any) -> None:
        """Close some widgets now: a removed row's, a picker's."""
        for widget in widgets:
            self.drop(*getattr(widget, "children", ()))
            if widget in self.widgets:
                self.widgets.remove(widget)
                widget.close()

    def close(self) -> None:
        """Close every widget, layout and style that the form made."""
        self.closed = True
        for each in (*self.widgets, *self._layouts.values(), *self._styles.values()):
            each.close()
        self.widgets.clear()
        self._layouts.clear()
        self._styles.clear()

    def _style(self, kind: type, width: str) -> Any:
        labelled = "description_width" in kind.class_trait_names()  # type: ignore[attr-defined]
        key = (kind, width if labelled else "")
        if key not in self._styles:
            self._styles[key] = kind(description_width=width) if labelled else kind()
        return self._styles[key]


def _style_class(kind: type) -> type | None:
    trait = kind.class_traits().get("style")  # type: ignore[attr-defined]
    return getattr(trait, "klass", None)
