"""The demo account: two years of a firm that sells software by subscription in dollars, euros and pounds. See
`timeline` for its story.

Most of it is written at once, each object in its final state (`writer`). Some thirty customers are played
through the sandbox's own engine instead (`stories`, `player`): trials, tiers, usage, quotes, credit notes,
dunning; every status that a subscription can have is there.

In the last hour before the present, two accounts were connected: Harbour Coffee, which sold something with an
application fee and was sent money of which a part came back, and Inlet Interiors, which has yet to say who it
is. And a test clock was made, whose customer's trial is about to end; like Stripe's, lists leave out what
belongs to a test clock unless it is named.

Everything follows from the account's seed and from its moment: the same objects under the same ids on every
machine. That of the usual seed and moment ships with the package (`shipped`).

These have names that examples can rely on:

    cus_demoJennyRosen      jenny.rosen@example.com: Team plan by card, every invoice paid; her subscription
                            is sub_demoJennyRosen, her card pm_demoJennyRosen, her newest invoice
                            in_demoLatest (paid by pi_demoLatest, charge ch_demoLatest)
    cus_demoNorthwind       accounts@northwind.example.com: the large customer, sent invoices, due after 30
                            days; sub_demoNorthwind
    in_demoOverdue          an open invoice, more than 60 days overdue
    in_demoDraft            a draft
    pi_demoCapture          a payment that waits for its capture (requires_capture)
    pi_demoAction           a payment that waits for its payer's authentication (requires_action)
    pi_demoWorkshop         a single payment through a payment link, not refunded
    po_demoFailed           an automatic payout that came back from the bank
    plink_demoWorkshop, plink_demoDatenworkshop, plink_demoSeatPack
                            payment links in dollars, euros and pounds
    prod_demoStarter, prod_demoTeam, prod_demoBusiness, prod_demoSeat, prod_demoPlatform
                            what is sold; prices such as price_demoTeamUsdMonthly, with a lookup key
                            (team_usd_monthly)
    PARTNER20, WELCOME50, SPRING30, LAUNCH25
                            coupons; the promotion code WELCOME2026 gives the last one
    we_demoEndpoint         the webhook endpoint
"""

from __future__ import annotations

from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.resources.account_objects import open_account


def demo_account(seed: str, now: int) -> Account:
    """A new demo account, whose clock stands at `now`: that of the usual seed and moment ships and is only
    read, any other is generated."""
    from stripe_magics.sandbox.demo_data import shipped

    if (seed, now) == (shipped.SEED, shipped.MOMENT):
        return shipped.account()
    return generated(seed, now)


def generated(seed: str, now: int) -> Account:
    """The same, generated in any case."""
    account = Account(seed=seed, now=now)
    open_account(account)
    populate(account)
    account.flush()
    return account


def populate(account: Account) -> None:
    """Fill an account (new, with its bank accounts) with the firm's two years up to its present moment."""
    from stripe_magics.sandbox.demo_data import generation

    generation.generate(account)
