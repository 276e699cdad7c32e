"""Payment links: their lines."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import in_more_section
from stripe_magics.catalogue.module import Effect, Module

LIST_LINES = Module(
    name="payment_links.list_lines",
    title="List Payment Link Lines",
    method="GET",
    path="/v1/payment_links/{payment_link}/line_items",
    returns="list[item]",
    effect=Effect.READ,
    aliases=("payment_links.list_line_items",),
    help="What a payment link sells, line by line.",
    fields=(
        f.path_id("payment_link", "Payment Link ID", "Payment link ID (plink_…), not its web address."),
        g.limit("lines"),
        *in_more_section(g.expand("data.price.product")),
    ),
)

MODULES = (LIST_LINES,)
