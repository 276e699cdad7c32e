"""Countries by their two letters (ISO 3166-1), so that a name that was typed can be answered with its
code."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from stripe_magics._text import closest_matches

COUNTRIES: dict[str, str] = {
    line[:2]: line[3:]
    for line in """AD Andorra;AE United Arab Emirates;AF Afghanistan;AG Antigua and Barbuda;AI Anguilla;
AL Albania;AM Armenia;AO Angola;AQ Antarctica;AR Argentina;AS American Samoa;AT Austria;AU Australia;AW Aruba;
AX Åland Islands;AZ Azerbaijan;BA Bosnia and Herzegovina;BB Barbados;BD Bangladesh;BE Belgium;BF Burkina Faso;
BG Bulgaria;BH Bahrain;BI Burundi;BJ Benin;BL Saint Barthélemy;BM Bermuda;BN Brunei;BO Bolivia;
BQ Caribbean Netherlands;BR Brazil;BS Bahamas;BT Bhutan;BV Bouvet Island;BW Botswana;BY Belarus;BZ Belize;
CA Canada;CC Cocos Islands;CD DR Congo;CF Central African Republic;CG Congo;CH Switzerland;CI Côte d'Ivoire;
CK Cook Islands;CL Chile;CM Cameroon;CN China;CO Colombia;CR Costa Rica;CU Cuba;CV Cape Verde;CW Curaçao;
CX Christmas Island;CY Cyprus;CZ Czechia;DE Germany;DJ Djibouti;DK Denmark;DM Dominica;DO Dominican Republic;
DZ Algeria;EC Ecuador;EE Estonia;EG Egypt;EH Western Sahara;ER Eritrea;ES Spain;ET Ethiopia;FI Finland;
FJ Fiji;FK Falkland Islands;FM Micronesia;FO Faroe Islands;FR France;GA Gabon;GB United Kingdom;GD Grenada;
GE Georgia;GF French Guiana;GG Guernsey;GH Ghana;GI Gibraltar;GL Greenland;GM Gambia;GN Guinea;GP Guadeloupe;
GQ Equatorial Guinea;GR Greece;GS South Georgia and South Sandwich Islands;GT Guatemala;GU Guam;
GW Guinea-Bissau;GY Guyana;HK Hong Kong;HM Heard and McDonald Islands;HN Honduras;HR Croatia;HT Haiti;
HU Hungary;ID Indonesia;IE Ireland;IL Israel;IM Isle of Man;IN India;IO British Indian Ocean Territory;
IQ Iraq;IR Iran;IS Iceland;IT Italy;JE Jersey;JM Jamaica;JO Jordan;JP Japan;KE Kenya;KG Kyrgyzstan;
KH Cambodia;KI Kiribati;KM Comoros;KN Saint Kitts and Nevis;KP North Korea;KR South Korea;KW Kuwait;
KY Cayman Islands;KZ Kazakhstan;LA Laos;LB Lebanon;LC Saint Lucia;LI Liechtenstein;LK Sri Lanka;LR Liberia;
LS Lesotho;LT Lithuania;LU Luxembourg;LV Latvia;LY Libya;MA Morocco;MC Monaco;MD Moldova;ME Montenegro;
MF Saint Martin;MG Madagascar;MH Marshall Islands;MK North Macedonia;ML Mali;MM Myanmar;MN Mongolia;MO Macao;
MP Northern Mariana Islands;MQ Martinique;MR Mauritania;MS Montserrat;MT Malta;MU Mauritius;MV Maldives;
MW Malawi;MX Mexico;MY Malaysia;MZ Mozambique;NA Namibia;NC New Caledonia;NE Niger;NF Norfolk Island;
NG Nigeria;NI Nicaragua;NL Netherlands;NO Norway;NP Nepal;NR Nauru;NU Niue;NZ New Zealand;OM Oman;PA Panama;
PE Peru;PF French Polynesia;PG Papua New Guinea;PH Philippines;PK Pakistan;PL Poland;
PM Saint Pierre and Miquelon;PN Pitcairn;PR Puerto Rico;PS Palestine;PT Portugal;PW Palau;PY Paraguay;
QA Qatar;RE Réunion;RO Romania;RS Serbia;RU Russia;RW Rwanda;SA Saudi Arabia;SB Solomon Islands;SC Seychelles;
SD Sudan;SE Sweden;SG Singapore;SH Saint Helena;SI Slovenia;SJ Svalbard and Jan Mayen;SK Slovakia;
SL Sierra Leone;SM San Marino;SN Senegal;SO Somalia;SR Suriname;SS South Sudan;ST Sao Tome and Principe;
SV El Salvador;SX Sint Maarten;SY Syria;SZ Eswatini;TC Turks and Caicos Islands;TD Chad;
TF French Southern Territories;TG Togo;TH Thailand;TJ Tajikistan;TK Tokelau;TL Timor-Leste;TM Turkmenistan;
TN Tunisia;TO Tonga;TR Türkiye;TT Trinidad and Tobago;TV Tuvalu;TW Taiwan;TZ Tanzania;UA Ukraine;UG Uganda;
UM US Outlying Islands;US United States;UY Uruguay;UZ Uzbekistan;VA Vatican City;
VC Saint Vincent and the Grenadines;VE Venezuela;VG British Virgin Islands;VI US Virgin Islands;VN Vietnam;
VU Vanuatu;WF Wallis and Futuna;WS Samoa;XK Kosovo;YE Yemen;YT Mayotte;ZA South Africa;ZM Zambia;
ZW Zimbabwe""".replace("\n", "").split(";")
}

_ALSO = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "usa": "US",
    "united states of america": "US", "america": "US", "holland": "NL", "turkey": "TR",
    "czech republic": "CZ", "deutschland": "DE", "osterreich": "AT", "schweiz": "CH", "espana": "ES",
    "italia": "IT", "polska": "PL", "sverige": "SE", "norge": "NO", "danmark": "DK", "suomi": "FI",
    "brasil": "BR", "korea": "KR", "ivory coast": "CI", "swaziland": "SZ", "burma": "MM", "macau": "MO",
    "uae": "AE", "belgique": "BE", "el": "GR",
}  # fmt: skip

_LOCALE = re.compile(r"auto|[a-z]{2,3}([-_][A-Z][a-z]{3})?([-_]([A-Z]{2}|\d{3}))?", re.ASCII)


def country(text: str) -> str:
    """The two letters, in capitals. Raises ValueError with the code of a name that was typed."""
    code = text.strip()
    if len(code) == 2 and code.isascii() and code.upper() in COUNTRIES:
        return code.upper()
    names = _names()
    plain = folded(code)
    if plain in names:
        raise ValueError(f"{text!r} is not a country code; write {names[plain]}")
    near = [
        f"{names[name]} ({COUNTRIES[names[name]]})" for name in closest_matches(plain, names, 2, cutoff=0.75)
    ]
    hint = f"did you mean {' or '.join(near)}?" if near else "use two letters, e.g. DE, US"
    raise ValueError(f"{text!r} is not a country code; {hint}")


def country_code(text: str) -> str:
    """The code of a country's name (`Germany` -> `DE`); a text that is no known name comes back as it is."""
    return _names().get(folded(text), text)


def locale(text: str) -> str:
    """A locale such as de, en-GB or pt-BR, as it was written. Raises ValueError."""
    if _LOCALE.fullmatch(text.strip()):
        return text.strip()
    language, _, region = text.strip().replace("_", "-").partition("-")
    better = language.lower() + (f"-{region.upper()}" if region else "")
    hint = f"write {better}" if _LOCALE.fullmatch(better) else "write one such as de, en-GB, pt-BR"
    raise ValueError(f"{text!r} is not a locale; {hint}")


@cache
def _names() -> dict[str, str]:
    return {folded(name): code for code, name in COUNTRIES.items()} | _ALSO


def folded(text: str) -> str:
    """A name as it is compared: small letters without accents."""
    plain = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(each for each in plain if not unicodedata.combining(each))
