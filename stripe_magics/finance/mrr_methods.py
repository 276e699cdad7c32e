"""Whose definitions of churn and retention there are, in what they differ, and where each says so."""

from __future__ import annotations

from dataclasses import dataclass

NET, QUICK, LOGO = (
    "back lowers net churn",
    "back raises the quick ratio",
    "logo churn over those who joined, too",
)


@dataclass(frozen=True, slots=True)
class Method:
    """Which of NET, QUICK and LOGO hold for a vendor ("back" is MRR of customers who came back), and where it
    says so."""

    source: str
    rules: frozenset[str] = frozenset()


METHODS = {
    "stripe": Method(
        "docs.stripe.com/billing/subscriptions/analytics/glossary", frozenset({NET, QUICK, LOGO})
    ),
    "chartmogul": Method("help.chartmogul.com 203359341 (net MRR churn), 207340419", frozenset({NET})),
    "profitwell": Method(
        "paddle.com/help/profitwell-metrics (revenue churn; any return is a gain)", frozenset({NET, QUICK})
    ),
    "baremetrics": Method("help.baremetrics.com (revenue churn, quick ratio)"),
    "dbt": Method("dbt-labs mrr-playbook (churn and downgrade over the month before)"),
    "tidemill": Method("tidemill docs/definitions (quick ratio with reactivation)", frozenset({QUICK})),
}
