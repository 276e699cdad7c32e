"""How a `%stripe` line and a `%%stripe` cell are read and written: words, bodies, names, pasted lines.

`command.parse`, `command.write_line` and `command.write_cell` are its face; nothing else needs to look in here.
"""
