"""How right is the lake? What the simulator knows against what Athena answers: `make score`, docs/quality.md.

The walk: deliveries.py sends traffic with a known truth -> found.py asks the lake for it -> counts.py says what is
right -> scores.py has the floors -> page.py writes docs/quality.md.
"""
