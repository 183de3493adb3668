# Data at the edges: the table of docs/reliability.md.
exec python3 test/fault/degenerate.py
