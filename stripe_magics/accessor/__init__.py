"""`df.stripe` and `series.stripe`: what pandas objects with Stripe's data can do beyond pandas. Importing
this registers both."""

from __future__ import annotations

from stripe_magics.accessor.dataframe_accessor import StripeAccessor, accessor_extensions
from stripe_magics.accessor.series_accessor import StripeSeriesAccessor

__all__ = ["StripeAccessor", "StripeSeriesAccessor", "accessor_extensions"]
