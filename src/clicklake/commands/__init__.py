"""The commands, a file for each kind: what each takes, and which module does it. cli.py has the table of all."""
