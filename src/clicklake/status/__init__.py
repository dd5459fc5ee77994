"""Does data flow, and if not, where does it stop.

numbers.py      what is looked at, stage by stage
reading.py      reads it from AWS: the only I/O
judging.py      the sentence: a table of rules, pure
report.py       as text, and as a JSON document
"""
