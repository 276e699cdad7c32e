"""Makes stripe_magics/sandbox/params.json: what each path that the sandbox serves accepts, and what can be expanded. Facts only.

    python tests/sandbox/generate_params.py OPENAPI.json

OPENAPI.json is Stripe's published OpenAPI description of version 2023-08-16. What the pinned version takes beyond it is in `LATER`.

A kind is one of: "s" text ("s22": at most 22 characters), "i" integer, "n" number, "b" boolean, "m" map of texts, "r" range of numbers,
{"e": [...]} choice, {"a": kind} array, {"o": {name: kind}} object, {"u": [kind, ...]} one of several, "@3" the third shared kind.
A name ends in "!" where it is required and in "?" where an empty text clears it.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[2] / "stripe_magics" / "sandbox" / "api" / "params.json"
SERVED = re.compile(
    r"^/v1/(account$|accounts/\{account\}(/external_accounts.*)?$|balance$|balance/history|balance_transactions|charges|coupons|customers"
    r"|credit_notes|disputes|events|invoiceitems|invoices|mandates|payment_intents|payment_links|payment_methods|payouts|plans|prices|products"
    r"|promotion_codes|quotes|refunds|subscriptions|subscription_items|subscription_schedules|tax_rates|webhook_endpoints|shipping_rates)"
)
NOT_SERVED = re.compile(
    r"bank_accounts|/cards|cash_balance|funding_instructions|/verify|customers/\{customer\}/subscriptions/"
    r"|/charges/\{charge\}/dispute|external_accounts/\{id\}$|balance/history/|apply_customer_balance|charges/\{charge\}/refund$"
)
NOT_SERVED_PATHS = (
    "DELETE /v1/accounts/{account}", "POST /v1/customers/{customer}/sources/{id}", "POST /v1/customers/{customer}/subscriptions",
)  # fmt: skip
LATER: dict[str, dict[str, Any]] = {
    "POST /v1/customers": {"tax": {"validate_location": {"e": ["deferred", "immediately"]}}},
    "POST /v1/customers/{customer}": {
        "tax": {"validate_location": {"e": ["auto", "deferred", "immediately"]}}
    },
    "POST /v1/payment_intents": {"payment_method_configuration": "s", "confirmation_token": "s"},
    "POST /v1/payment_intents/{intent}": {"payment_method_configuration": "s"},
    "POST /v1/payment_intents/{intent}/confirm": {"confirmation_token": "s"},
    "POST /v1/payment_intents/{intent}/capture": {"final_capture": "b"},
}
RENDERING = {
    "o": {
        "amount_tax_display?": {"e": ["exclude_tax", "include_inclusive_tax"]},
        "pdf": {"o": {"page_size": {"e": ["a4", "auto", "letter"]}}},
        "template": "s",
        "template_version?": "i",
    }
}
ISSUER = {"o": {"account": "s", "type!": {"e": ["account", "self"]}}}
for _path in ("POST /v1/invoices", "POST /v1/invoices/{invoice}"):
    LATER[_path] = {
        "rendering": RENDERING,
        "issuer": ISSUER,
        "automatic_tax": {"liability": ISSUER},
        "discounts?": {"a": {"o": {"promotion_code": "s"}}},
    }
for _path in ("POST /v1/invoiceitems", "POST /v1/invoiceitems/{invoiceitem}"):
    LATER[_path] = {"discounts?": {"a": {"o": {"promotion_code": "s"}}}}
EXTERNAL = dict.fromkeys(
    "object account_holder_name account_holder_type account_number account_type country currency cvc exp_month exp_year number routing_number".split(),
    "s",
)
"""A bank account or a debit card by its numbers; the description has the first under `bank_account` only."""
LATER_METHODS = "alma amazon_pay mobilepay revolut_pay swish twint multibanco kakao_pay naver_pay payco samsung_pay kr_card pay_by_bank".split()
LATER_TAX_IDS = (
    "al_tin am_tin ao_tin aw_tin az_tin ba_tin bb_tin bd_bin bf_ifu bh_vat bj_ifu bs_tin by_tin ch_uid cd_nif cm_niu cn_tin co_nit cr_tin cv_nif"
    " de_stn do_rcn ec_ruc et_tin gn_nif hr_oib kg_tin kh_tin kz_bin la_tin li_vat ma_vat md_vat me_pib mk_vat mr_nif ng_tin np_pan om_vat pe_ruc"
    " rs_pib sn_ninea sr_fin sv_nit tj_tin tz_vat ug_tin uy_ruc uz_tin uz_vat ve_rif vn_tin zm_tin zw_tin"
).split()


def kind(schema: dict[str, Any]) -> tuple[Any, bool]:
    """The kind of a schema, and whether an empty text clears the value."""
    clears = False
    if "anyOf" in schema:
        options = []
        for each in schema["anyOf"]:
            if each.get("enum") == [""]:
                clears = True
                continue
            options.append(kind(each)[0])
        if len(options) == 1:
            return options[0], clears
        if any(isinstance(each, dict) and "o" in each and "gte" in each["o"] for each in options):
            return "r", clears
        objects = [each for each in options if isinstance(each, dict) and "o" in each]
        if len(objects) == len(options):
            return {"o": merged(objects)}, clears
        return {"u": options}, clears
    if "enum" in schema:
        values = [each for each in schema["enum"] if each != ""]
        return {"e": values}, "" in schema["enum"]
    match schema.get("type"):
        case "object" if "properties" not in schema:
            return "m" if schema.get("additionalProperties", {}).get("type") == "string" else "*", clears
        case "object":
            return {"o": names(schema)}, clears
        case "array":
            return {"a": kind(schema["items"])[0]}, clears
        case "string":
            longest = schema.get("maxLength", 5000)
            return "s" if longest == 5000 else f"s{longest}", clears
        case "integer":
            return "i", clears
        case "boolean":
            return "b", clears
        case "number":
            return "n", clears
    return "*", clears


def names(schema: dict[str, Any]) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    found = {}
    for name, each in schema.get("properties", {}).items():
        of, clears = kind(each)
        found[name + ("!" if name in required else "?" if clears else "")] = of
    return found


def merged(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several shapes of one object: every name, required where every shape requires it."""
    every = [each["o"] for each in objects]
    result: dict[str, Any] = {}
    for shape in every:
        for name, of in shape.items():
            bare = name.rstrip("!")
            if name.endswith("!") and not all(name in other for other in every):
                result.setdefault(bare, of)
            else:
                result.setdefault(name, of)
    return result


def later(shape: dict[str, Any], added: dict[str, Any]) -> None:
    for name, of in added.items():
        present = next((each for each in shape if each.rstrip("!?") == name.rstrip("!?")), None)
        if present is None:
            shape[name] = of
            continue
        inner, more = shape[present], of
        if not isinstance(of, dict):
            continue
        if isinstance(inner, dict) and "a" in inner:
            inner, more = inner["a"], of["a"]
        later(inner["o"], more["o"] if "o" in more else more)


def newer_choices(of: Any) -> None:
    """Payment methods and tax ids that came after the published description."""
    if isinstance(of, dict):
        if "e" in of and "eu_vat" in of["e"]:
            of["e"] = sorted({*of["e"], *LATER_TAX_IDS})
        if "e" in of and "sepa_debit" in of["e"] and "wechat_pay" in of["e"]:
            of["e"] = sorted({*of["e"], *LATER_METHODS})
        for each in list(of.values()):
            newer_choices(each)
    elif isinstance(of, list):
        for each in of:
            newer_choices(each)


def share(paths: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Kinds that occur more than once stand once, in a list."""
    seen: Counter[str] = Counter()

    def count(of: Any) -> None:
        if isinstance(of, dict):
            text = json.dumps(of, sort_keys=True)
            if len(text) > 40:
                seen[text] += 1
                if seen[text] > 1:
                    return
            for each in of.values():
                count(each)

    for each in paths.values():
        count(each)
    shared: dict[str, int] = {}
    kinds: list[Any] = []

    def replace(of: Any) -> Any:
        if not isinstance(of, dict):
            return of
        text = json.dumps(of, sort_keys=True)
        if seen[text] > 1 and set(of) <= {"o", "a", "e", "u"}:
            if text not in shared:
                inner = {key: replace(each) for key, each in of.items()}
                shared[text] = len(kinds)
                kinds.append(inner)
            return f"@{shared[text]}"
        return {key: replace(each) for key, each in of.items()}

    return {path: {name: replace(of) for name, of in shape.items()} for path, shape in paths.items()}, kinds


def expandable(schemas: dict[str, Any]) -> dict[str, list[str]]:
    """Object -> the paths below it that hold ids which can be replaced by objects, or lists that are left out unless asked for."""
    result = {}

    def walk(schema: dict[str, Any], prefix: str, depth: int, found: list[str]) -> None:
        for name, each in schema.get("properties", {}).items():
            path = prefix + name
            target = each["items"] if each.get("type") == "array" else each
            if "x-expansionResources" in target:
                found.append(path)
                continue
            refs = (
                [target["$ref"]]
                if "$ref" in target
                else [x["$ref"] for x in target.get("anyOf", ()) if "$ref" in x]
            )
            for ref in refs:
                inner = schemas[ref.rsplit("/", 1)[1]]
                if "x-resourceId" not in inner and depth < 3:
                    walk(inner, path + ".", depth + 1, found)
            if target.get("type") == "object" and depth < 3:
                walk(target, path + ".", depth + 1, found)

    for schema in schemas.values():
        title = schema.get("properties", {}).get("object", {}).get("enum", [""])[0]
        if title and "x-resourceId" in schema and "list" != title:
            found: list[str] = []
            walk(schema, "", 0, found)
            if found:
                result[title] = sorted(set(result.get(title, [])) | set(found))
    return result


OLDER = {"plan": "s", "quantity": "i"}
"""What the older API took on subscriptions, and still does."""
for _path in ("POST /v1/subscriptions", "POST /v1/subscriptions/{subscription_exposed_id}"):
    LATER[_path] = {
        "discounts?": {"a": {"o": {"coupon": "s", "discount": "s", "promotion_code": "s"}}},
        **OLDER,
        "off_session": "b",
        "trial_from_plan": "b",
        "items": {"a": {"o": {"plan": "s"}}},
    }
for _path in ("POST /v1/subscription_items", "POST /v1/subscription_items/{item}"):
    LATER[_path] = {
        "plan": "s",
        "off_session": "b",
        "discounts?": {"a": {"o": {"coupon": "s", "discount": "s", "promotion_code": "s"}}},
    }


def add_newer_paths(paths: dict[str, Any]) -> None:
    """Paths that came after the published description."""
    upcoming = paths["GET /v1/invoices/upcoming"]
    of_subscription = {
        name.removeprefix("subscription_"): of
        for name, of in upcoming.items()
        if name.startswith("subscription_")
    }
    preview = {name: of for name, of in upcoming.items() if not name.startswith("subscription_")}
    paths["POST /v1/invoices/create_preview"] = {**preview, "subscription_details": {"o": of_subscription}}
    for path in ("GET /v1/invoices/upcoming", "GET /v1/invoices/upcoming/lines"):
        paths[path]["subscription_details"] = {"o": of_subscription}
    discounts = {"a": {"o": {"coupon": "s", "discount": "s", "promotion_code": "s"}}}
    line = {
        "amount": "i", "description": "s", "discountable": "b", "discounts?": discounts, "metadata?": "m",
        "period": {"o": {"end!": "i", "start!": "i"}}, "price": "s", "price_data": "*", "quantity": "i", "tax_rates?": {"a": "s"},
    }  # fmt: skip
    expand, metadata = {"a": "s"}, "m"
    paths["POST /v1/invoices/{invoice}/lines/{line_item_id}"] = {**line, "expand": expand}
    paths["POST /v1/invoices/{invoice}/add_lines"] = {
        "lines!": {"a": {"o": {**line, "invoice_item": "s"}}}, "invoice_metadata?": metadata, "expand": expand,
    }  # fmt: skip
    paths["POST /v1/invoices/{invoice}/update_lines"] = {
        "lines!": {"a": {"o": {**line, "id!": "s"}}}, "invoice_metadata?": metadata, "expand": expand,
    }  # fmt: skip
    paths["POST /v1/invoices/{invoice}/remove_lines"] = {
        "lines!": {"a": {"o": {"behavior!": {"e": ["delete", "unassign"]}, "id!": "s"}}}, "invoice_metadata?": metadata, "expand": expand,
    }  # fmt: skip
    paths["POST /v1/invoices/{invoice}/attach_payment"] = {
        "payment_intent": "s",
        "payment_record": "s",
        "expand": expand,
    }
    cursors = {"ending_before": "s", "expand": expand, "limit": "i", "starting_after": "s"}
    paths["GET /v1/invoice_payments"] = {
        **cursors, "created": "r", "invoice": "s", "status": {"e": ["canceled", "open", "paid"]},
        "payment": {"o": {"payment_intent": "s", "payment_record": "s", "type!": {"e": ["payment_intent", "payment_record"]}}},
    }  # fmt: skip
    paths["GET /v1/invoice_payments/{invoice_payment}"] = {"expand": expand}
    formula = {"o": {"formula!": {"e": ["count", "last", "sum"]}}}
    paths["GET /v1/billing/meters"] = {**cursors, "status": {"e": ["active", "inactive"]}}
    paths["POST /v1/billing/meters"] = {
        "customer_mapping": {"o": {"event_payload_key!": "s", "type!": {"e": ["by_id"]}}}, "default_aggregation!": formula,
        "display_name!": "s", "event_name!": "s", "event_time_window": {"e": ["day", "hour"]}, "expand": expand,
        "value_settings": {"o": {"event_payload_key!": "s"}},
    }  # fmt: skip
    paths["GET /v1/billing/meters/{id}"] = {"expand": expand}
    paths["POST /v1/billing/meters/{id}"] = {"display_name": "s", "expand": expand}
    paths["POST /v1/billing/meters/{id}/deactivate"] = {"expand": expand}
    paths["POST /v1/billing/meters/{id}/reactivate"] = {"expand": expand}
    paths["GET /v1/billing/meters/{id}/event_summaries"] = {
        **cursors, "customer!": "s", "end_time!": "i", "start_time!": "i", "value_grouping_window": {"e": ["day", "hour"]},
    }  # fmt: skip
    paths["POST /v1/billing/meter_events"] = {
        "event_name!": "s", "expand": expand, "identifier": "s", "payload!": "m", "timestamp": "i",
    }  # fmt: skip
    paths["POST /v1/billing/meter_event_adjustments"] = {
        "cancel": {"o": {"identifier": "s"}}, "event_name!": "s", "expand": expand, "type!": {"e": ["cancel"]},
    }  # fmt: skip
    recurring = {"o": {"meter": "s", "trial_period_days": "i"}}
    LATER["POST /v1/prices"] = {"recurring": recurring}
    LATER["POST /v1/plans"] = {"meter": "s"}


def main(source: str) -> None:
    document = json.loads(Path(source).read_text())
    paths: dict[str, Any] = {}
    for path, methods in document["paths"].items():
        if not SERVED.match(path) or NOT_SERVED.search(path):
            continue
        for method, operation in methods.items():
            if method not in {"get", "post", "delete"}:
                continue
            shape: dict[str, Any] = {}
            for each in operation.get("parameters", ()):
                if each["in"] == "query":
                    of, clears = kind(each["schema"])
                    shape[each["name"] + ("!" if each.get("required") else "?" if clears else "")] = of
            for body in operation.get("requestBody", {}).get("content", {}).values():
                shape.update(names(body["schema"]))
            paths[f"{method.upper()} {path}"] = shape
    for path in NOT_SERVED_PATHS:
        del paths[path]
    add_newer_paths(paths)
    for path, added in LATER.items():
        later(paths[path], added)
    for shape in paths.values():
        newer_choices(shape)
        for name, of in shape.items():
            if name.startswith("payment_method_data") and "o" in of:
                for each in LATER_METHODS:
                    of["o"].setdefault(each, {"o": {}})
                of["o"]["allow_redisplay"] = {"e": ["always", "limited", "unspecified"]}
    card = paths["POST /v1/payment_methods"]["card"]
    for path in (
        "POST /v1/payment_intents",
        "POST /v1/payment_intents/{intent}",
        "POST /v1/payment_intents/{intent}/confirm",
    ):
        data = next(of for name, of in paths[path].items() if name.startswith("payment_method_data"))["o"]
        data["card"] = card  # taken, though the description leaves it to Stripe's own scripts in a browser
        data["type!"]["e"] = sorted({*data["type!"]["e"], "card"})
    paths["POST /v1/accounts/{account}/external_accounts"]["external_account"] = {"u": ["s", {"o": EXTERNAL}]}
    for path in ("POST /v1/webhook_endpoints", "POST /v1/webhook_endpoints/{webhook_endpoint}"):
        for name in list(paths[path]):
            if name.startswith("enabled_events"):
                paths[path][name] = {"a": "s"}  # checked against the catalogue's event types
            if name.startswith("api_version"):
                paths[path][name] = "s"
    shapes, kinds = share(paths)
    keep = {path.split("/")[2] for path in (each.split(" ")[1] for each in paths)}
    expand = {
        name: found
        for name, found in expandable(document["components"]["schemas"]).items()
        if "." not in name
    }
    text = json.dumps(
        {"paths": shapes, "kinds": kinds, "expand": expand}, separators=(",", ":"), sort_keys=True
    )
    TARGET.write_text(text + "\n")
    print(
        f"{len(paths)} paths, {len(kinds)} shared kinds, {len(expand)} objects, {len(text)} bytes; {sorted(keep)}"
    )


if __name__ == "__main__":
    main(sys.argv[1])
