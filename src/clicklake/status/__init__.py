"""Does data flow, and if not, where does it stop.

numbers.py      what is looked at, stage by stage
reading.py      reads it from AWS: the only I/O
rules.py        what can be in the way, as a table; judging.py the sentence: pure
report.py       as text, and as a JSON document
"""
