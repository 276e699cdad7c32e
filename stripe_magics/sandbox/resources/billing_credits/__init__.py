"""Billing credits: grants to customers that pay for what they use."""
