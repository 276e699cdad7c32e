"""Cash balances of customers: money that came by bank transfer and pays for nothing yet."""
