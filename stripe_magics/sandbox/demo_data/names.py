"""Names for the demo account's people and companies. All e-mail addresses are at example.com, which belongs
to nobody."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "Ada Aiko Alba Amir Anna Arjun Astrid Ben Bruno Carla Chloe Clara Dana David Diego Dora Elena Eli Emil"
    " Emma Erik Esme Farah Felix Finn Freya Grace Hana Hugo Ines Isaac Iris Ivan Jade Jonas Julia Kai Karin"
    " Lars Lea Leo Lina Luca Lucy Mara Marc Maya Mila Milo Nina Noah Nora Olga Oscar Otto Paula Petra Rafael"
    " Rosa Ruth Sam Sara Sofia Theo Tomas Uma Vera Victor Wanda Yara Yusuf Zoe"
)
LAST = _words(
    "Abbott Adler Almeida Andersson Baker Bauer Becker Berg Bianchi Blanc Brown Carter Castro Chen Clarke"
    " Costa Dahl Diaz Dubois Ellis Evans Ferrari Fischer Foster Garcia Gomez Graham Gruber Hansen Harris"
    " Hayes Hoffmann Hughes Ito Jensen Jones Kaya Keller Khan Klein Kovacs Lang Larsen Lee Lopez Martin Mayer"
    " Meyer Mills Moreau Moreno Mori Nilsson Novak Olsen Park Patel Perez Petit Price Reed Reyes Rossi Roux"
    " Sato Schmidt Silva Singh Smith Stone Suzuki Tanaka Taylor Torres Turner Vogel Walker Weber White Wolf"
    " Wood Young"
)
TRADES = _words(
    "Analytics Bikes Books Clinic Coffee Design Foods Games Health Homes Labs Legal Logistics Media Motors"
    " Music Robotics Sports Studio Systems Tea Textiles Travel Works"
)
