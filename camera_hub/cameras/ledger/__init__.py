"""The ledger, one camera one file: what is kept of a camera beside what the hub needs to pull it.

In the order of the data's way:

- `codes`, `aliases`: the county's code tables, and other headers of sheets
- `fields`: the catalogue of fields, in the county's column order, and `parse_value`: typed text → stored value
- `gb_id`: the 20-digit ID of GB/T 28181; `coordinates`: datums, and the township's area
- `figures`: completeness and the filing countdown
- `stored`: one row of the database ↔ values by their keys
- `ledgers`: the operations; `photos`: the pictures of a camera's file
- `export`: the county's sheet
"""
