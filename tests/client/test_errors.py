"""What an answer becomes: the class, what is kept of it, and the text that a person reads."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace
from typing import Any

import pytest
from each_row import each_row
from fault_server import HTML, Fault, FaultServer, error

from client.conftest import KEY, create, get, pay
from stripe_magics.catalogue.module import Effect
from stripe_magics.client.api_errors import decline_codes
from stripe_magics.client.api_errors.mapping import from_answer, log_url
from stripe_magics.client.api_errors.param_names import field_title
from stripe_magics.client.sending import notices
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import (
    AuthenticationFailed,
    CardDeclined,
    IdempotencyConflict,
    InvalidRequest,
    NotConnected,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    StripeError,
    StripeUnavailable,
)
from stripe_magics.request import Request

JSON = {"content-type": "application/json", "request-id": "req_abc1"}


def made(status: int, request: Request | None = None, mode: str = "test", **fields: Any) -> StripeError:
    body = {"error": {"type": "invalid_request_error", "message": "Stripe's words", **fields}}
    return from_answer(
        status, JSON, json.dumps(body).encode(), request or get(), key_hint="sk_test_...4f2a", mode=mode
    )


@each_row(
    ("status", "fields", "kind"),
    [
        (400, {}, InvalidRequest),
        (404, {}, NotFound),
        (401, {}, AuthenticationFailed),
        (402, {"type": "card_error"}, CardDeclined),
        (403, {}, PermissionDenied),
        (409, {}, InvalidRequest),
        (429, {}, RateLimited),
        (400, {"code": "rate_limit"}, RateLimited),
        (400, {"type": "idempotency_error"}, IdempotencyConflict),
        (500, {"type": "api_error"}, StripeUnavailable),
        (503, {}, StripeUnavailable),
    ],
)
def test_T46_the_class_of_each_status(status: int, fields: dict[str, str], kind: type[StripeError]) -> None:
    assert type(made(status, **fields)) is kind
    assert issubclass(NotFound, InvalidRequest)


@each_row("status", [418, 451, 424])
def test_T47_other_statuses_are_general_and_keep_the_status(status: int) -> None:
    found = made(status)
    assert type(found) is StripeError
    assert found.status == status
    assert str(status) in str(found)


def test_T47_a_failed_dependency_leaves_a_write_unknown(server: FaultServer, connection: Connection) -> None:
    server.always = error(424, "api_error")
    with pytest.raises(OutcomeUnknown):
        connection.send(pay())


@each_row("status", [400, 401, 402, 403, 404, 409, 424, 429, 500])
def test_T48_every_class_keeps_what_stripe_said(status: int) -> None:
    given = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "advice_code": "try_again_later",
        "network_advice_code": "01",
        "network_decline_code": "51",
        "param": "amount",
        "doc_url": "https://docs.stripe.com/error-codes/card-declined",
        "charge": "ch_1",
    }
    log = "https://dashboard.stripe.com/test/logs/req_abc1?t=1"
    found = made(
        status,
        **given,
        payment_intent={"id": "pi_1", "status": "requires_payment_method"},
        request_log_url=log,
    )
    assert {name: getattr(found, name) for name in given} == given
    assert (found.payment_intent, found.payment_intent_status, found.request_id) == (
        "pi_1",
        "requires_payment_method",
        "req_abc1",
    )
    assert found.extra["request_log_url"] == log
    assert found.status == status


def test_T49_a_message_may_be_missing_or_in_any_language() -> None:
    assert "no reason" in str(made(400, message=None))
    assert "no message" in str(made(418, message=None))
    assert "カードが拒否されました é" in str(made(400, message="カードが拒否されました é"))
    for status in (400, 401, 402, 403, 404, 429, 500):
        assert "req_abc1" in str(made(status))


@each_row(
    "body",
    [
        "null",
        "[]",
        "5",
        '"x"',
        '{"error": null}',
        '{"error": []}',
        '{"error": "invalid_grant", "error_description": "x"}',
        "{}",
        '{"error": {}}',
        "",
    ],
)
@each_row("status", [400, 401, 402, 403, 404, 429, 500])
def test_B31_odd_bodies_are_errors_with_status_and_id(status: int, body: str) -> None:
    found = from_answer(status, JSON, body.encode(), get())
    assert isinstance(found, StripeError)
    assert (found.status, found.request_id) == (status, "req_abc1")
    assert str(found)


def test_T51_a_page_is_cut_to_its_first_words() -> None:
    page = "<html><script>evil()</script>\n<b>Access   denied</b>\n" + "word " * 400
    found = from_answer(403, {"content-type": "text/html; charset=x"}, page.encode(), get())
    shown = found.advice
    assert len(shown) <= 200 + len("It said: ")
    assert "\n" not in shown
    assert shown.startswith("It said: Access denied word")
    assert "evil" not in str(found)
    assert "text/html" in str(found)
    assert "sk_live_0123" not in str(from_answer(403, {}, HTML.encode(), get()))


def test_T52_errors_survive_pickling_and_copying_and_carry_no_header(
    server: FaultServer, connection: Connection
) -> None:
    server.script = [
        error(402, "card_error", "card_declined", decline_code="expired_card", param="payment_method")
    ]
    with pytest.raises(CardDeclined) as caught:
        connection.send(pay())
    for again in (
        pickle.loads(pickle.dumps(caught.value)),
        copy.copy(caught.value),
        copy.deepcopy(caught.value),
    ):
        assert type(again) is CardDeclined
        assert (again.decline_code, again.param, str(again)) == (
            "expired_card",
            "payment_method",
            str(caught.value),
        )
    assert KEY.encode() not in pickle.dumps(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_T53_a_notice_is_shown_once(server: FaultServer, connection: Connection) -> None:
    notice = Fault(
        "after",
        "answer",
        200,
        (("Stripe-Notice", "Use the new API. sk_live_0123456789ab"),),
        {"id": "x", "object": "y"},
    )
    server.script = [notice, notice]
    assert connection.send(get()).notices == ("Stripe: Use the new API. (key hidden)",)
    assert connection.send(get()).notices == ()
    assert connection.send(get("/v1/account")).notices == ()


def test_T54_unknown_methods_and_no_key_are_refused_here(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidRequest, match="not a method"):
        connection.send(replace(get(), method="FROBNICATE"))
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    from stripe_magics.client.shared_connection import connect

    with pytest.raises(NotConnected, match="no environment variable"):
        connect(env="STRIPE_NOT_SET")
    assert server.seen == []


def test_B50_unknown_things_in_answers_are_kept(server: FaultServer, connection: Connection) -> None:
    odd = {
        "id": "x_1",
        "object": "brand_new_thing",
        "deleted": True,
        "status": "never_seen",
        "more": {"a": [1]},
    }
    server.always = Fault("after", "answer", 200, (), odd)
    assert connection.send(get()).data == odd


def test_B51_B52_the_clock_is_compared(server: FaultServer, connection: Connection) -> None:
    found = notices.Notices()
    assert found.of({"date": "Sun, 22 Nov 2026 12:00:00 GMT"}, now=1795348800 + 59) == ()
    assert "90 s ahead" in found.of({"date": "Sun, 22 Nov 2026 12:00:00 GMT"}, now=1795348800 + 90)[0]
    assert found.of({"date": "Sun, 22 Nov 2026 12:00:00 GMT"}, now=1795348800 + 95) == ()
    assert found.skew == 95
    assert found.of({"date": "yesterday"}) == ()


# --- the texts ----------------------------------------------------------------------------------------------
def test_a_decline_says_what_happened_and_what_to_do() -> None:
    found = made(
        402,
        pay(),
        code="card_declined",
        decline_code="insufficient_funds",
        advice_code="try_again_later",
        param="payment_method",
        payment_intent={
            "id": "pi_123",
            "status": "requires_payment_method",
            "client_secret": "pi_123_secret_xyz",
        },
    )
    first, second, *facts = str(found).splitlines()
    assert first == "Card declined - no payment was taken.  [TEST]"
    assert second.startswith("Bank's reason: insufficient_funds.")
    assert "do not submit this one again today" in second
    assert (
        "PaymentIntent pi_123 is now requires_payment_method - continue it rather than creating a new one."
        in facts
    )
    assert any("request req_abc1" in each and "advice_code try_again_later" in each for each in facts)
    assert "Log: https://dashboard.stripe.com/test/logs/req_abc1" in facts
    assert "_secret_xyz" not in str(found)


@each_row("code", ["do_not_try_again", "lost_card", "stolen_card", "fraudulent", "pickup_card"])
def test_B18_some_declines_never_suggest_another_try(code: str) -> None:
    advice = str(made(402, code="card_declined", decline_code=code))
    assert "Do not try this card again" in advice
    if code != "do_not_try_again":
        assert "Tell the customer only that the card was declined" in advice
    assert all(
        reason.endswith((".", "!")) and kind in decline_codes.ADVICE
        for reason, kind in decline_codes.DECLINES.values()
    )


def test_a_parameter_is_named_as_its_field_with_its_row() -> None:
    request = Request(
        module="payment_links.create",
        method="POST",
        path="/v1/payment_links",
        params=(("line_items[1][quantity]", "1.5"),),
        effect=Effect.CREATE,
        param_fields={"line_items[1][quantity]": "line_items"},
    )
    found = made(
        400,
        request,
        param="line_items[1][quantity]",
        code="parameter_invalid_integer",
        message="Invalid integer: 1.5",
    )
    assert str(found).startswith("Nothing was created: Invalid integer: 1.5.")
    assert found.field == "line_items"
    place = next(each for each in found.facts if each.startswith("Field:"))
    assert "> 2 >" in place
    assert "Stripe name: line_items[1][quantity], you sent 1.5" in place


def test_a_nested_parameter_goes_to_the_longest_known_field() -> None:
    request = create(module="customers.create")
    assert field_title(request, "shipping[address][line1]") != "shipping[address][line1]"
    assert "Line 1" in field_title(request, "shipping[address][line1]")
    assert field_title(request, "no_such[thing]") == "no_such[thing]"


@each_row(
    ("module", "param", "title"),
    [
        ("customers.retrieve", "id", "Customer ID"),
        ("payment_intents.capture", "intent", "Payment Intent ID"),
        ("invoice_items.delete", "invoiceitem", "Invoice Item ID"),
        ("customers.list", "id", "id"),
    ],
)
def test_the_id_in_the_path_is_named_as_the_form_names_it(module: str, param: str, title: str) -> None:
    assert field_title(Request(module=module, method="GET", path="/v1/x"), param) == title


def test_an_unknown_parameter_gets_the_nearest_one() -> None:
    found = made(400, create(module="customers.create", emial="x"), code="parameter_unknown", param="emial")
    assert "Did you mean email?" in str(found)


def test_B20_a_missing_object_says_which_mode() -> None:
    found = made(404, code="resource_missing", message="No such customer: 'cus_1'", param="id")
    assert "No such customer: 'cus_1'" in str(found)
    assert "test mode" in str(found)
    other = made(
        404,
        code="resource_missing",
        message=(
            "No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used"
        ),
    )
    assert "exists in the other mode" in str(other)


def test_B17_the_key_is_named_by_its_end_only() -> None:
    found = made(401, message="Invalid API Key provided: sk_test_****************4f2a")
    assert "sk_test_...4f2a" not in str(found.stripe_message)
    assert "****" not in str(found)
    assert str(found).startswith("Stripe did not accept the key")


def test_B19_a_restricted_key_says_what_it_lacks() -> None:
    words = (
        "The provided key 'rk_test_*********abcd' does not have the required permissions for this endpoint on"
        " account 'acct_1'. Having the 'plan_read' permission would allow this request to continue."
    )
    found = made(403, message=words)
    assert "it lacks plan_read" in str(found)
    assert "acct_1" not in str(found)
    assert "rk_test" not in str(found)
    assert "proxy or firewall" in str(
        from_answer(403, {"content-type": "text/html"}, b"<html>no</html>", get())
    )


def test_the_rate_limit_says_how_often_it_was_tried() -> None:
    found = from_answer(
        429,
        {**JSON, "stripe-rate-limited-reason": "endpoint-rate"},
        b'{"error": {"type": "x"}}',
        get(),
        tried="it was tried 3 times over 6 s",
    )
    assert str(found).startswith(
        "Rate limited by Stripe (endpoint-rate, 3 attempts over 6 s). Nothing was changed."
    )
    locked = made(429, create("/v1/payment_intents/pi_123/capture"), code="lock_timeout")
    assert "Another request holds this object (pi_123)" in str(locked)


def test_B06_an_unknown_outcome_says_what_was_tried_and_what_to_do(
    server: FaultServer, connection: Connection
) -> None:
    server.script = [Fault("after", "close"), error(429, "x"), error(429, "x"), error(429, "x")]
    with pytest.raises(OutcomeUnknown) as caught:
        connection.send(pay())
    text = str(caught.value)
    assert text.startswith("It is unknown whether the payment was made.")
    for words in (
        "Sent ",
        "a later try got 429",
        f"key {server.seen[0].key}",
        "%stripe resume 1",
        "%stripe reconcile 1",
        "valid for resume until",
    ):
        assert words in text
    assert caught.value.operation == 1


def test_B27_after_a_500_no_new_key(server: FaultServer, connection: Connection) -> None:
    server.always = error(500, "api_error")
    with pytest.raises(OutcomeUnknown, match="do not use a new key"):
        connection.send(pay())


def test_links_are_made_of_good_ids_only() -> None:
    assert log_url("req_1", "live") == "https://dashboard.stripe.com/logs/req_1"
    for bad in ("req_1/../..", "", "x", "req_<b>", "req_1?x"):
        assert log_url(bad, "test") == ""


def test_html_is_escaped() -> None:
    found = made(400, message="<img src=x onerror=alert(1)>")
    assert "<img" not in found._repr_html_()
    assert "&lt;img" in found._repr_html_()
