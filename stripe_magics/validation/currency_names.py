"""Currencies by name, so that a name that was chosen or typed in a form becomes its code. Names that several
currencies share (dollar, pound, krona) are nobody's."""

from __future__ import annotations

from functools import cache

from stripe_magics.validation.countries import folded

CURRENCY_NAMES: dict[str, str] = {
    line[:3].lower(): line[4:]
    for line in """AED UAE Dirham;ALL Albanian Lek;AMD Armenian Dram;ARS Argentine Peso;AUD Australian Dollar;
AZN Azerbaijani Manat;BAM Bosnian Convertible Mark;BDT Bangladeshi Taka;BGN Bulgarian Lev;BHD Bahraini Dinar;
BOB Bolivian Boliviano;BRL Brazilian Real;CAD Canadian Dollar;CHF Swiss Franc;CLP Chilean Peso;
CNY Chinese Yuan;COP Colombian Peso;CRC Costa Rican Colón;CZK Czech Koruna;DKK Danish Krone;
DOP Dominican Peso;DZD Algerian Dinar;EGP Egyptian Pound;ETB Ethiopian Birr;EUR Euro;FJD Fijian Dollar;
GBP Pound Sterling;GEL Georgian Lari;GHS Ghanaian Cedi;GTQ Guatemalan Quetzal;HKD Hong Kong Dollar;
HNL Honduran Lempira;HUF Hungarian Forint;IDR Indonesian Rupiah;ILS Israeli Shekel;INR Indian Rupee;
ISK Icelandic Króna;JMD Jamaican Dollar;JOD Jordanian Dinar;JPY Japanese Yen;KES Kenyan Shilling;
KRW South Korean Won;KWD Kuwaiti Dinar;KZT Kazakhstani Tenge;LBP Lebanese Pound;LKR Sri Lankan Rupee;
MAD Moroccan Dirham;MDL Moldovan Leu;MKD Macedonian Denar;MXN Mexican Peso;MYR Malaysian Ringgit;
NGN Nigerian Naira;NOK Norwegian Krone;NPR Nepalese Rupee;NZD New Zealand Dollar;OMR Omani Rial;
PAB Panamanian Balboa;PEN Peruvian Sol;PHP Philippine Peso;PKR Pakistani Rupee;PLN Polish Złoty;
PYG Paraguayan Guaraní;QAR Qatari Riyal;RON Romanian Leu;RSD Serbian Dinar;RUB Russian Ruble;
SAR Saudi Riyal;SEK Swedish Krona;SGD Singapore Dollar;THB Thai Baht;TND Tunisian Dinar;TRY Turkish Lira;
TWD New Taiwan Dollar;TZS Tanzanian Shilling;UAH Ukrainian Hryvnia;UGX Ugandan Shilling;USD US Dollar;
UYU Uruguayan Peso;VND Vietnamese Dong;XAF Central African CFA Franc;XOF West African CFA Franc;
ZAR South African Rand""".replace("\n", "").split(";")
}
"""Code -> name; a currency that is missing here is taken by its code."""

_ALSO = {
    "euros": "eur", "€": "eur", "british pound": "gbp", "pounds sterling": "gbp", "sterling": "gbp",
    "£": "gbp", "u.s. dollar": "usd", "american dollar": "usd", "us dollars": "usd", "yen": "jpy",
    "renminbi": "cny", "zloty": "pln", "złoty": "pln", "forint": "huf", "won": "krw", "turkish lira": "try",
    "schweizer franken": "chf", "rand": "zar", "baht": "thb", "shekel": "ils", "₹": "inr",
}  # fmt: skip


def currency_code(text: str) -> str:
    """The code of a currency's name (`Swiss Franc` -> `chf`); a text that is no known name comes back as it
    is."""
    return _names().get(folded(text), text)


@cache
def _names() -> dict[str, str]:
    by_name = {folded(name): code for code, name in CURRENCY_NAMES.items()}
    return by_name | {folded(name): code for name, code in _ALSO.items()}
