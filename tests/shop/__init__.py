"""A small shop as somebody would write it with Stripe's own packages, and its test suite, which runs against
the sandbox's server."""
