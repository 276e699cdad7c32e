"""A PDF of one plain page: quotes, invoices and credit notes have one."""

from __future__ import annotations


def pdf_page(rows: list[str]) -> bytes:
    """A PDF of one page with a few lines of text."""

    def text(row: str) -> str:
        return (
            row.encode("latin-1", "replace")
            .decode("latin-1")
            .replace("\\", "\\\\")
            .replace("(", "\\(")
            .replace(")", "\\)")
        )

    content = "BT /F1 12 Tf 72 770 Td 16 TL " + " ".join(f"({text(row)}) Tj T*" for row in rows) + " ET"
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1"
            " 5 0 R >> >> >>"
        ),
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{part}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = (
        f"xref\n0 6\n0000000000 65535 f \n{table}trailer << /Size 6 /Root 1 0 R"
        f" >>\nstartxref\n{len(made)}\n%%EOF\n"
    )
    return made + end.encode()
