"""Imports: a village's own sheet becomes devices, cameras and ledger values.

In the order of the data's way:

columns.py     headers of all kinds → fields; where the header row is; which rows are data
values.py      texts of cells → the values of a row; what of them is secret
known.py       what is registered already, read once for a whole sheet
judging.py     values + what is known → a verdict per row, a reason per problem (pure)
imports.py     upload, mapping, rows, changes of a row
runs.py        rows of one device together → intake; rows that change a camera → register and ledger
sheets.py      sheets handed out: template, list, failed rows
rows.py        rows of the database ↔ values; what is sealed of them
views.py       what pages get
"""
