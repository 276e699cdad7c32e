"""The operations that the sandbox answers by shape only: what is kept, listed and changed, without simulating
what it does."""
