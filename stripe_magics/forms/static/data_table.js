// Appended to itables' own script, whose jQuery is window.$ here. A block: its names are nobody else's.
{
  const DataTables = window.$?.fn.dataTable;

  // itables sets a selection by deselecting every row first, selected or not, and Select then looks at each:
  // a third of a second for 10,000 rows, at every click. Only those that are selected are deselected here.
  const named = (methods, name) => methods?.find((each) => each.name === name);
  const deselect = named(named(window.__apiStruct, "rows")?.methodExt, "deselect");
  if (deselect) {
    const every = deselect.val;
    deselect.val = function deselectSelected() {
      this.context.forEach((settings, place) => {
        const rows = new DataTables.Api(settings).rows({ selected: true });
        const selected = new Set(rows.indexes().toArray());
        this[place] = this[place]?.filter((row) => selected.has(row));
      });
      return every.call(this);
    };
  }

  // What a spreadsheet would take for a formula is exported behind an apostrophe; numbers and amounts aren't.
  const NUMBER = /^[-+]?[\d.,'\u2019\s]*\d( ?%| [A-Z]{3})?$/;
  const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
  const Buttons = DataTables?.Buttons;
  if (Buttons?.stripData) {
    const plain = Buttons.stripData;
    Buttons.stripData = (cell, options) => {
      const text = plain(cell, { ...options, escapeExcelFormula: false });
      const unsafe = options?.escapeExcelFormula && typeof text === "string" && FORMULA.test(text);
      return unsafe && !NUMBER.test(text) ? `'${text}` : text;
    };
  }
}
