"""`%stripe` and `%%stripe` in a shell: calls, answers, options, errors, words of our own."""

from __future__ import annotations

import pandas as pd
import pytest
from each_row import each_row

from stripe_magics import catalogue, errors
from stripe_magics.client.shared_connection import shared

from .conftest import Cells


def test_a_line_gives_a_frame_and_a_cell_too(sandbox: Cells) -> None:
    made = sandbox("%stripe customers create --name 'Jenny Rosen' --email jenny@example.com")
    assert isinstance(made, pd.DataFrame)
    assert made.loc[0, "name"] == "Jenny Rosen"
    again = sandbox(
        "%%stripe customers create\nname: Jenny\nshipping:\n  name: J\n  address: {line1: 1 Main St, country:"
        " NO}\n"
    )
    assert again.loc[0, "shipping_address_country"] == "NO"
    listed = sandbox("df = %stripe customers list --limit 1\ndf")
    assert len(listed) == 1
    assert listed.attrs["stripe"]["complete"] is False
    assert sandbox(f"%stripe customers retrieve {made.loc[0, 'id']}").loc[0, "email"] == "jenny@example.com"


def test_pythons_names_reach_a_call(sandbox: Cells) -> None:
    sandbox(
        "who = 'Ada'\nc = %stripe customers create --name $who --description \"by {{who}}\"\nprice = 2000"
    )
    intent = sandbox("%stripe payment_intents create --amount $price --currency usd --customer $c.id")
    assert isinstance(intent, pd.DataFrame)
    assert intent.loc[0, "amount"] == 2000


def test_money_is_asked_for_with_its_currency(sandbox: Cells) -> None:
    assert sandbox("%stripe payment_intents create --amount 20.00usd").loc[0, "amount"] == 2000
    with pytest.raises(errors.InvalidValue, match="--amount"):
        sandbox("%stripe payment_intents create --amount 20.00 --currency usd")


def test_a_loop_makes_its_calls(sandbox: Cells) -> None:
    sandbox("for name in ['a', 'b', 'c']:\n    x = %stripe customers create --name $name\n")
    assert sorted(sandbox("%stripe customers list")["name"]) == ["a", "b", "c"]


def test_a_function_makes_its_call(sandbox: Cells) -> None:
    sandbox(
        "def find(n):\n    global found\n    found = n\n    r = %stripe customers list --limit $found\n   "
        " return r\n"
    )
    sandbox("%stripe customers create --name a")
    assert len(sandbox("find(1)")) == 1


class TestShown:
    """What `--out`, `--quiet` and a semicolon do to the answer."""

    def test_out_binds_and_says_so(self, sandbox: Cells) -> None:
        assert sandbox("%stripe customers create --name x --out made") is None
        assert sandbox.stdout.startswith("made: DataFrame, 1 row cus_")
        assert sandbox.shell.user_ns["made"].loc[0, "name"] == "x"
        assert sandbox("%%stripe customers create --out also\nname: y\n") is None
        assert sandbox.shell.user_ns["also"].loc[0, "name"] == "y"

    @pytest.mark.parametrize(
        "cell", ["%stripe customers list --limit 1 --out some", "some = %stripe customers list --limit 1"]
    )
    def test_a_cut_list_says_so_where_it_is_not_displayed(self, sandbox: Cells, cell: str) -> None:
        for name in "ab":
            sandbox(f"%stripe customers create --name {name};")
        sandbox(cell)
        assert sandbox.stdout.count("there are more: --limit") == 1
        assert len(sandbox.shell.user_ns["some"]) == 1
        sandbox(cell + " --quiet")
        assert sandbox.stdout == ""

    def test_a_displayed_list_tells_it_once(self, sandbox: Cells) -> None:
        for name in "ab":
            sandbox(f"%stripe customers create --name {name};")
        for cell in ("%stripe customers list --limit 1", "stripe customers list --limit 1"):
            sandbox(cell)
            assert "there are more" not in sandbox.stdout.split("Out[")[0]

    @pytest.mark.parametrize("name", ["1st", "a b", "class", "a-b", "a.b"])
    def test_out_wants_a_name(self, sandbox: Cells, name: str) -> None:
        with pytest.raises(errors.UsageFault, match="--out"):
            sandbox(f"%stripe customers create --name x --out '{name}'")
        assert len(sandbox("%stripe customers list")) == 0

    def test_replacing_something_else_is_said(self, sandbox: Cells) -> None:
        sandbox("made = 5")
        sandbox("%stripe customers list --out made")
        assert "it was a int" in sandbox.stdout

    @pytest.mark.parametrize(
        "line",
        [
            "%stripe customers list;",
            "%stripe customers list --quiet",
            "%stripe customers list --email a@b.com ;",
        ],
    )
    def test_quiet(self, sandbox: Cells, line: str) -> None:
        assert sandbox(line) is None
        assert sandbox.stdout == ""
        assert isinstance(sandbox(f"r = {line}\nr"), pd.DataFrame)

    def test_dry_run_shows_the_request(self, sandbox: Cells) -> None:
        request = sandbox("%stripe customers create --name x --dry-run")
        assert (request.method, request.path, request.params) == ("POST", "/v1/customers", (("name", "x"),))
        assert len(sandbox("%stripe customers list")) == 0

    def test_raw_is_stripes_json(self, sandbox: Cells) -> None:
        assert sandbox("%stripe customers create --name x --raw")["object"] == "customer"


class TestOrigins:
    """The same cell again is the same call; another cell, or a changed one, is not."""

    def test_a_cell_that_is_run_again_makes_nothing_new(self, sandbox: Cells) -> None:
        first = sandbox("%stripe customers create --name x", cell_id="cell-1")
        again = sandbox("%stripe customers create --name x", cell_id="cell-1")
        assert again.loc[0, "id"] == first.loc[0, "id"]
        assert again.attrs["stripe"]["replayed"]
        assert len(sandbox("%stripe customers list")) == 1

    def test_again_makes_it_once_more(self, sandbox: Cells) -> None:
        sandbox("%stripe customers create --name x", cell_id="cell-1")
        sandbox("%stripe customers create --name x --again", cell_id="cell-1")
        assert len(sandbox("%stripe customers list")) == 2

    @pytest.mark.parametrize(
        "cell", ["%stripe customers create --name x --out made", "made = %stripe customers create --name x"]
    )
    def test_a_replay_says_so_where_nothing_is_displayed(self, sandbox: Cells, cell: str) -> None:
        sandbox(cell, cell_id="cell-1")
        assert "nothing new was made" not in sandbox.stdout
        sandbox(cell, cell_id="cell-1")
        assert "nothing new was made" in sandbox.stdout

    def test_calls_of_a_loop_are_several(self, sandbox: Cells) -> None:
        sandbox("for _ in range(3):\n    x = %stripe customers create --name same", cell_id="cell-2")
        assert len(sandbox("%stripe customers list")) == 3
        sandbox("for _ in range(3):\n    x = %stripe customers create --name same", cell_id="cell-2")
        assert len(sandbox("%stripe customers list")) == 3


class TestErrors:
    """Short, exact, and they fail the cell."""

    def test_they_are_a_few_lines(self, sandbox: Cells) -> None:
        result = sandbox.run("%stripe customers create --nmae x")
        assert isinstance(result.error_in_exec, errors.UnknownName)
        assert not result.success
        assert "Did you mean --name" in sandbox.stdout
        assert "Traceback" not in sandbox.stdout
        assert "File " not in sandbox.stdout
        sandbox.run("%tb")
        assert "Did you mean --name" in sandbox.stdout
        assert "File " not in sandbox.stdout

    def test_no_frame_of_ours_is_left_behind(self, sandbox: Cells) -> None:
        error = sandbox.run("%stripe customers retrieve cus_nobody").error_in_exec
        assert isinstance(error, errors.NotFound)
        assert error.__cause__ is None
        assert error.__context__ is None
        frames, at = [], error.__traceback__
        while at is not None:
            frames.append(at.tb_frame.f_code.co_filename)
            at = at.tb_next
        assert not [name for name in frames if "stripe_magics/client/" in name or "httpx" in name]

    def test_the_whole_traceback_on_demand(self, sandbox: Cells) -> None:
        sandbox("%config StripeMagics.full_traceback = True")
        result = sandbox.run("%stripe customers create --nmae x")
        assert isinstance(result.error_in_exec, RuntimeError)
        assert "parser.py" in sandbox.stdout

    def test_all_faults_at_once(self, sandbox: Cells) -> None:
        with pytest.raises(errors.InvalidValue) as found:
            sandbox("%stripe customers create --email nobody --shipping-country Germny")
        assert {each.field for each in found.value.faults} >= {"email", "shipping_country"}

    def test_a_decline_names_its_reason(self, sandbox: Cells) -> None:
        with pytest.raises(errors.CardDeclined):
            sandbox(
                "%stripe payment_intents create --amount 2000 --currency usd --payment-method"
                " pm_card_visa_chargeDeclined --confirm --off-session"
            )

    def test_an_amount_in_another_currency_than_the_payments_moves_nothing(self, sandbox: Cells) -> None:
        paid = sandbox(
            "%stripe payment_intents create --amount 50.00usd --payment-method pm_card_visa --confirm"
            " --return-url https://a.b"
        )
        sandbox.shell.user_ns |= {
            "pi": paid.loc[0, "id"],
            "rows": pd.DataFrame({"payment_intent": paid["id"], "amount": ["5eur"]}),
        }
        with pytest.raises(errors.InvalidValue, match=f"is given in eur, but {paid.loc[0, 'id']} is in usd"):
            sandbox("%stripe refunds create --payment-intent $pi --amount 10.00eur")
        done = sandbox("%stripe refunds create --from rows")
        assert done.loc[0, "result"] == "failed"
        assert "is given in eur" in done.loc[0, "error"]
        assert len(sandbox("%stripe refunds list")) == 0
        assert (
            sandbox("%stripe refunds create --payment-intent $pi --amount 10.00usd").loc[0, "amount"] == 1000
        )
        with pytest.raises(errors.InvalidRequest, match="No such payment.intent"):
            # left to Stripe's own words
            sandbox("%stripe refunds create --payment-intent pi_nope --amount 10.00usd")

    def test_without_a_connection(self, cells: Cells) -> None:
        with pytest.raises(errors.NotConnected, match="connect"):
            cells("%stripe customers list")
        assert cells("%stripe customers list --dry-run").method == "GET"


class TestWords:
    """connect, status, modules, find, help, history, script, sandbox ..."""

    def test_connect_and_status(self, sandbox: Cells) -> None:
        state = sandbox("%stripe status")
        assert "SANDBOX" in repr(state)
        assert "acct_" in state._repr_html_()
        assert sandbox("%stripe connect --sandbox --empty;") is None
        sandbox("%stripe disconnect")
        assert shared() is None

    def test_half_a_word_says_how_it_goes_on(self, cells: Cells) -> None:
        with pytest.raises(errors.UsageFault, match="advance, coverage, reset, save, load"):
            cells("%stripe sandbox")

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("%stripe connect --sandbox --env X", "leave out --sandbox, or --env"),
            ("%stripe connect --sandbox --api-version 2019", "'2019' is not an API version"),
        ],
    )
    def test_connect_refuses_what_cannot_be_meant(self, cells: Cells, line: str, said: str) -> None:
        with pytest.raises(errors.NotConnected, match=said):
            cells(line)

    def test_nobody_to_type_a_key(self, cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody(prompt: str) -> str:
            raise EOFError

        monkeypatch.setattr("getpass.getpass", nobody)
        with pytest.raises(errors.NotConnected, match="nobody to type"):
            cells("%stripe connect")

    @pytest.mark.parametrize("line", ["%stripe sandbox save /no/such/x.json", "%stripe script /no/such/x.py"])
    def test_files_that_cannot_be_written(self, sandbox: Cells, line: str) -> None:
        with pytest.raises(errors.UsageFault, match="can't be written: No such file"):
            sandbox(line)

    def test_connect_takes_no_key(self, cells: Cells) -> None:
        with pytest.raises(errors.UnknownName):
            cells("%stripe connect --key abc")
        with pytest.raises(errors.KeyRefused):
            cells("%stripe connect --env sk_test_" + "a" * 24)
        with pytest.raises(errors.UsageFault, match="--empty is for the sandbox"):
            cells("%stripe connect --empty")

    def test_connect_by_environment(self, cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MY_STRIPE", "sk_test_" + "51" + "a" * 40)
        cells("%stripe connect --sandbox --empty --quiet")
        with pytest.raises(errors.NotSent) as caught:  # the key was found, but there is no Stripe
            cells("%stripe connect --env MY_STRIPE --api-base http://127.0.0.1:9")
        assert "The earlier connection stays" in str(caught.value)
        assert shared().mode == "sandbox"
        with pytest.raises(errors.StripeMagicsError, match="NOT_SET"):
            cells("%stripe connect --env NOT_SET")

    def test_modules(self, cells: Cells) -> None:
        everything = cells("%stripe modules")
        assert len(everything) > 500
        assert int(everything["documented"].sum()) == len(catalogue.documented())
        assert set(cells("%stripe modules customers")["name"]) >= {"customers.create", "customers.list"}
        assert len(cells("%stripe modules --documented")) == len(catalogue.documented())

    def test_find(self, cells: Cells) -> None:
        found = cells('%stripe find "refund reason"')
        assert list(found.columns) == ["module", "field", "label", "what", "documented"]
        assert (found.loc[0, "module"], found.loc[0, "field"]) == ("refunds.create", "--reason")
        assert len(cells("%stripe find nothing-such-as-this")) == 0

    def test_help(self, cells: Cells) -> None:
        assert "sandbox advance" in repr(cells("%stripe help"))
        for text in (
            "%stripe customers create?",
            "%stripe customers create --help",
            "r = %stripe help customers create\nr",
        ):
            assert "--shipping-line1" in repr(cells(text))
        assert "--sandbox" in repr(cells("%stripe connect?"))
        assert "customers create" in repr(cells("%stripe help customers"))
        html = cells("%stripe payment_intents create?")._repr_html_()
        assert "<code>--amount</code>" in html
        assert "<script" not in html

    def test_history_and_script(self, sandbox: Cells) -> None:
        sandbox("who = 'Ada'")
        sandbox("%stripe customers create --name $who --out ada")
        sandbox.run("%stripe customers retrieve cus_nobody")
        sandbox("%%stripe customers create\nname: B\nmetadata: {a: 1}\n")
        history = sandbox("%stripe history")
        assert list(history["module"]) == ["customers.create", "customers.retrieve", "customers.create"]
        assert list(history["error"]) == ["", "NotFound", ""]
        assert history.loc[0, "objects"] == [sandbox.shell.user_ns["ada"].loc[0, "id"]]
        assert history.loc[0, "request_ids"]
        script = str(sandbox("%stripe script"))
        compile(script, "script", "exec")
        assert "sm.connect(sandbox=True, demo=False)" in script
        assert "ada = sm.call('customers.create', name=who)" in script
        assert "sm.call('customers.create', name='B', metadata={'a': '1'})" in script
        assert "# ended in NotFound" in script

    def test_a_script_runs(self, sandbox: Cells, tmp_path) -> None:
        sandbox("%stripe customers create --name Jenny -d metadata[a]=b --out jenny")
        sandbox("%stripe customers list --limit 5")
        target = tmp_path / "session.py"
        sandbox(f"%stripe script {target}")
        names: dict[str, object] = {}
        exec(compile(target.read_text(), str(target), "exec"), names)
        assert names["jenny"].loc[0, "metadata"] == {"a": "b"}
        with pytest.raises(errors.UsageFault, match="exists"):
            sandbox(f"%stripe script {target}")

    def test_the_sandboxs_clock(self, sandbox: Cells, tmp_path) -> None:
        before = shared().sandbox.now
        sandbox("%stripe sandbox advance 1d 2h")
        assert shared().sandbox.now - before == 86400 + 7200
        sandbox("%stripe customers create --name x")
        sandbox(f"%stripe sandbox save {tmp_path / 'month'}")
        sandbox("%stripe sandbox reset")
        assert len(sandbox("%stripe customers list")) == 0
        sandbox(f"%stripe sandbox load {tmp_path / 'month'}")
        assert len(sandbox("%stripe customers list")) == 1
        with pytest.raises(errors.UsageFault, match="as a duration"):
            sandbox("%stripe sandbox advance soon")
        with pytest.raises(errors.UsageFault, match="no file"):
            sandbox("%stripe sandbox load nothing.json")

    def test_pending_and_live(self, sandbox: Cells) -> None:
        assert len(sandbox("%stripe pending")) == 0
        with pytest.raises(errors.UsageFault, match="no operation 99"):
            sandbox("%stripe resume 99")
        with pytest.raises(errors.UsageFault, match="Missing operation number"):
            sandbox("%stripe reconcile")
        sandbox("%stripe live on")
        assert "sandbox mode" in sandbox.stdout

    def test_settings(self, cells: Cells) -> None:
        cells("%stripe config --max-rows 10")
        assert "10" in repr(cells("%stripe config"))
        cells("%config StripeMagics.max_rows = 20")
        assert cells.shell.find_line_magic("stripe").__self__.max_rows == 20
        with pytest.raises(errors.UnknownName, match="--max-rows"):
            cells("%stripe config --max-row 10")
        with pytest.raises(errors.UsageFault, match="--all-columns: 'x' is neither true nor false"):
            cells("%stripe config --max-rows 30 --all-columns x")
        assert cells.shell.find_line_magic("stripe").__self__.max_rows == 20, "one wrong, none set"

    @pytest.mark.parametrize("line", ["config --help", "config?", "help config"])
    def test_help_of_the_settings_says_what_each_is_now(self, cells: Cells, line: str) -> None:
        cells("%stripe config --max-rows 25 --table on")
        (rows,) = (part.rows for part in cells(f"%stripe {line}").sections)
        shown = {str(row[0]): row[1:] for row in rows}
        assert shown["--max-rows N"][0] == "25"
        assert shown["--table true|false"] == (
            "true", "Show every frame as an interactive table, as --table does.",
        )  # fmt: skip
        assert shown["--locale LANGUAGE"][0] == "none"
        assert len(shown) == 7

    def test_a_resource_alone_and_nothing_at_all(self, cells: Cells) -> None:
        assert "%stripe customers search" in repr(cells("%stripe"))  # the start card
        assert "customers create" in repr(cells("%stripe customers?"))
        assert "checkout sessions create" in repr(cells("%stripe checkout sessions?"))
        with pytest.raises(errors.UsageFault, match="Which action. checkout has: sessions"):
            cells("%stripe checkout")
        with pytest.raises(errors.UsageFault, match="Which action. sandbox has: advance"):
            cells("%stripe sandbox")

    def test_words_explain_themselves(self, cells: Cells) -> None:
        with pytest.raises(errors.UsageFault, match="takes no body"):
            cells("%%stripe status\nsomething\n")
        with pytest.raises(errors.UnknownName, match="--sandbox"):
            cells("%stripe connect --sandbx")
        with pytest.raises(errors.UsageFault, match="Unexpected argument"):
            cells("%stripe status now")


class TestLines:
    """What IPython would read otherwise."""

    def test_tabs_comments_and_question_marks(self, sandbox: Cells) -> None:
        assert isinstance(sandbox("%stripe\tcustomers list"), pd.DataFrame)
        assert isinstance(sandbox("# a comment\n\n%%stripe customers create\nname: x\n"), pd.DataFrame)
        assert isinstance(sandbox("%stripe customers list   # those of today"), pd.DataFrame)
        assert isinstance(sandbox("r = %stripe\tcustomers list --limit 1\nr"), pd.DataFrame)
        assert isinstance(sandbox("%stripe customers list \\\n  --limit 1"), pd.DataFrame)

    def test_a_text_may_end_in_a_question_mark(self, sandbox: Cells) -> None:
        assert sandbox("%stripe customers create --description Why?").loc[0, "description"] == "Why?"
        assert (
            sandbox("%stripe customers create --description 'And why not?'").loc[0, "description"]
            == "And why not?"
        )
        assert sandbox("r = %stripe customers create --name Who?\nr").loc[0, "name"] == "Who?"

    def test_dollars_and_braces_arrive(self, sandbox: Cells) -> None:
        sandbox("name = 'wrong'")
        assert (
            sandbox("%stripe customers create --description 'Costs $20 {name}'").loc[0, "description"]
            == "Costs $20 {name}"
        )
        assert (
            sandbox("%%stripe customers create\ndescription: Also $20 {name}\n").loc[0, "description"]
            == "Also $20 {name}"
        )

    @each_row(
        "text",
        [
            "print('%stripe x?')",
            "s = '''\n%stripe customers create?\n'''\ns",
            "%%time\nx = 1",
            "# a\n# b\nx = 1",
            "a?",
            "%stripex\ty",
            "'%stripe\tx'",
        ],
    )
    def test_other_cells_are_left_alone(self, text: str) -> None:
        from stripe_magics.magics.input_transformer import transform

        lines = text.splitlines(keepends=True)
        assert transform(list(lines)) == lines
