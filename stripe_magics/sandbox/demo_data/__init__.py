"""The demo account: two years of a firm that sells software by subscription in dollars, euros and pounds. See
`timeline` for its story.

Most of it is written at once, each object in its final state (`writer`). Some thirty customers are played
through the sandbox's own engine instead (`stories`, `player`): trials, tiers, usage, quotes, credit notes,
dunning; every status that a subscription can have is there.

Everything follows from the account's seed and from `as_of`: the same objects under the same ids on every
machine. These have names that examples can rely on:

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


def populate(account: Account, *, as_of: int | None = None) -> None:
    """Fill an account (new, with its bank accounts) with the firm's two years up to `as_of`, by default the
    account's present moment."""
    from stripe_magics.sandbox.demo_data import generation

    if as_of is not None:
        account.clock.now = as_of
    generation.generate(account)
