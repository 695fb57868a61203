"""Spreadsheets of others, read and written. Reading parses hostile bytes, so it runs in a process of its own:

reading.py    hub side: start the process, take its bounded answer, tell every failure as one reason
__main__.py   the process: its limits, then
kinds.py      what a file really is, whatever it is called
workbooks.py  .xlsx and .xls → rows of cells
delimited.py  CSV → rows of cells
cells.py      a cell → the text that a person sees in it
answer.py     the lines of the answer, and their bounds

writing.py    rows → .xlsx, in the hub: texts and numbers only, never a formula
"""
