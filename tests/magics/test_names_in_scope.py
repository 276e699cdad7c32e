"""`$name`, `{{name}}` and `--from name` mean what the name means at that place: a function's own variables
before globals."""

from __future__ import annotations

import pytest
from each_row import each_row

from stripe_magics import errors

from .conftest import Cells

PAY = "payment_intents create --amount $amount --currency usd --dry-run"
MAGIC = f"get_ipython().run_line_magic('stripe', '{PAY}')"


def amounts(cells: Cells, code: str) -> list[str]:
    """The amounts of the dry runs that a cell gathers in `out`, with a global of the same name in the way."""
    cells("amount = 999\nout = []\n" + code)
    return [dict(each.params)["amount"] for each in cells.shell.user_ns["out"]]


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        (f"def charge(amount):\n    r = %stripe {PAY}\n    return r\nout = [charge(50)]", ["50"]),
        (f"def charge(amount):\n    return {MAGIC}\nout = [charge(50)]", ["50"]),
        (f"charge = lambda amount: {MAGIC}\nout = [charge(50), charge(60)]", ["50", "60"]),
        (f"out = [{MAGIC} for amount in (50, 60)]", ["50", "60"]),
        (f"out = list({MAGIC} for amount in (50, 60))", ["50", "60"]),
        (f"def all_of(amount):\n    return [{MAGIC} for _ in range(2)]\nout = all_of(50)", ["50", "50"]),
        (
            ("def outer(amount):\n    def inner():\n"
            f"        r = %stripe {PAY}\n        return r\n    return inner()\nout = [outer(50)]"),
            ["50"],
        ),
        (
            ("def outer(amount):\n    def inner():\n        amount\n"
            f"        r = %stripe {PAY}\n        return r\n    return inner\nout = [outer(50)()]"),
            ["50"],
        ),
        (f"for amount in (50, 60):\n    r = %stripe {PAY}\n    out.append(r)", ["50", "60"]),
        (f"class Shop:\n    amount = 50\n    r = %stripe {PAY}\n    out.append(r)", ["50"]),
        (
            ("def charge(amount):\n    body = 'amount: $amount\\ncurrency: usd'\n"
            "    return get_ipython().run_cell_magic('stripe', 'payment_intents create --dry-run', body)\n"
            "out = [charge(50)]"),
            ["50"],
        ),
        (
            ("from concurrent.futures import ThreadPoolExecutor\n"
            f"charge = lambda amount: {MAGIC}\n"
            "with ThreadPoolExecutor(1) as pool:\n    out = list(pool.map(charge, [50, 60]))"),
            ["50", "60"],
        ),
        ("def charge():\n    r = %stripe " + PAY + "\n    return r\nout = [charge()]", ["999"]),
        (
            ("def charge(n):\n"
            "    r = %stripe payment_intents create --amount {{n}} --currency usd --dry-run\n"
            "    return r\nn = 7\nout = [charge(50)]"),
            ["50"],
        ),
    ],
)  # fmt: skip
def test_a_local_comes_before_a_global(sandbox: Cells, code: str, sent: list[str]) -> None:
    assert amounts(sandbox, code) == sent


def test_a_local_frame_is_the_one_that_is_written(sandbox: Cells) -> None:
    sandbox(
        "import pandas as pd\nframe = pd.DataFrame({'name': ['global']})\n"
        "def make(frame):\n    r = %stripe customers create --from frame --quiet\n    return r\n"
        "made = make(pd.DataFrame({'name': ['a', 'b']}))"
    )
    assert sorted(sandbox("%stripe customers list")["name"]) == ["a", "b"]


def test_a_subcommand_sees_locals_too(sandbox: Cells) -> None:
    sandbox("start = '1d'\ndef on(start):\n    %stripe sandbox advance $start\n")
    before = sandbox("%stripe customers create --name a").loc[0, "created"]
    sandbox("on('2d')")
    assert (sandbox("%stripe customers create --name b").loc[0, "created"] - before).days == 2


def test_a_variable_that_is_gone_is_not_replaced_by_a_global(sandbox: Cells) -> None:
    sandbox(
        "amount = 999\ndef outer(amount):\n    return lambda: get_ipython().run_line_magic('stripe',"
        f" '{PAY}')\ncharge = outer(50)"
    )
    with pytest.raises(errors.UsageFault, match="variable of outer"):
        sandbox("charge()")


INNER = f"lambda: {MAGIC}"


@each_row(
    ("code", "words"),
    [
        (f"def outer(amount):\n    return {INNER}\ncharge = outer(50)\ndel outer", "is a variable of outer"),
        (f"def outer(amount):\n    return {INNER}\ncharge = outer(50)\ndef outer(other): return other",
         "is a variable of outer"),
        (f"def outer(amount):\n    return {INNER}\ncharge = outer(50)\ndef outer(other): return {INNER}",
         "is a variable of outer"),
        ((f"class Shop:\n    def outer(self, amount):\n        return {INNER}\n"
          "charge = Shop().outer(50)\ndel Shop"),
         "is a variable of outer"),
        ((f"def outer(amount):\n    def middle():\n        return {INNER}\n    return middle()\n"
          "charge = outer(50)\ndel outer"),
         "is a variable of outer"),
        (f"def outer():\n    amount = 50\n    return [{INNER}][0]\ncharge = outer()\nouter = 3",
            "is a variable of outer"),
        (f"@(lambda function: function(50))\ndef charge(amount):\n    return {INNER}",
            "is a variable of charge"),
        (f'exec("""def outer(amount):\n    return {INNER}\n""")\ncharge = outer(50)\ndel outer',
            "may be a variable of outer"),
    ],
)  # fmt: skip
def test_a_variable_of_a_function_that_is_gone_is_not_replaced_by_a_global(
    sandbox: Cells, code: str, words: str
) -> None:
    """Deleted, redefined, renamed by a decorator, made by `exec`: never the global of that name."""
    sandbox("amount = 999\n" + code)
    with pytest.raises(errors.UsageFault, match=words):
        sandbox("charge()")


def test_a_global_is_taken_inside_of_a_function_whose_maker_is_gone(sandbox: Cells) -> None:
    """Where the source says that the name is none of its variables."""
    code = f"def outer(other):\n    return {INNER}\ncharge = outer(50)\ndel outer\nout = [charge()]"
    assert amounts(sandbox, code) == ["999"]


@pytest.mark.parametrize(
    "value", ["None", "float('nan')", "pd.NA", "pd.NaT", "''", "'  '", "pd.Series([None], dtype=object)"]
)
def test_a_missing_value_of_a_name_is_refused(sandbox: Cells, value: str) -> None:
    sandbox(f"import pandas as pd\nx = {value}")
    for line, words in [
        ("refunds create --payment-intent pi_1 --amount $x", "amount"),
        ("refunds create --payment-intent pi_1 -d amount=$x", "amount"),
        ("customers update cus_1 --email $x", "email"),
        ("customers list --email $x", "email"),
        ("customers retrieve $x", "customer"),
        ("customers list --limit $x", "limit"),
        ("customers delete cus_1 --idempotency $x", "idempotency"),
        ("refunds create --payment-intent pi_1 --amount {{x}}", "{{x}}"),
        ("customers create --name {{x}}", "x"),
        ("transfers create --amount $x --currency usd --destination acct_1", "amount"),
        ("customers create --form --email $x", "email"),
    ]:
        with pytest.raises((errors.InvalidValue, errors.UsageFault)) as caught:
            sandbox(f"%stripe {line}")
        assert words in str(caught.value), line
    for body in (
        "payment_intent: pi_1\namount: $x",
        'payment_intent: pi_1\namount: "{{x}}"',
        '{"payment_intent": "pi_1", "amount": "$x"}',
    ):
        with pytest.raises((errors.InvalidValue, errors.UsageFault), match=r"amount|\{\{x\}\}"):
            sandbox(f"%%stripe refunds create\n{body}\n")


@pytest.mark.parametrize(
    "body",
    ["payment_intent: pi_1\namount: null", "payment_intent: pi_1\namount: ~", "payment_intent: pi_1\namount:",
     '{"payment_intent": "pi_1", "amount": null}', "{payment_intent: pi_1, amount: }"],
)  # fmt: skip
def test_null_in_a_body_is_refused_by_name(sandbox: Cells, body: str) -> None:
    with pytest.raises(errors.InvalidValue, match="--amount"):
        sandbox(f"%%stripe refunds create --dry-run\n{body}\n")
