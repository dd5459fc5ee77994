"""Clickstream traffic with a known truth: an imaginary shop, its visitors, and what goes wrong on the way."""
