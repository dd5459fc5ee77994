"""The pure core: raw bytes in, processed, failed and ledger bytes out. No I/O, no clock, no randomness.

Read it in the order the data moves: decode, validate, dedup, enrich, encode, ledger; process ties them together.
"""
