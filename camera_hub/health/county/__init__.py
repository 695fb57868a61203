"""County list check (通报核对): the county's list of faulty cameras against what the hub observed.

columns.py    headers of a foreign sheet → fields; which rows are cameras. Pure
listed.py     a row's texts → values: GB ID, time, what is complained of. Pure
matching.py   which camera a row means: by GB ID, name, address. Pure
judging.py    what we saw at that time and see now → a conclusion. Pure
evidence.py   what judging needs, out of the database, for some rows together
judge.py      a part of the hub: judges what is not judged yet, piece by piece
checks.py     the verbs behind api/county
reply.py      the reply sheet
"""
