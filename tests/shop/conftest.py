"""The fixture `stripe_sandbox` comes with the installed package; here it is the checkout's own."""

from stripe_magics.pytest_plugin import stripe_sandbox

__all__ = ["stripe_sandbox"]
