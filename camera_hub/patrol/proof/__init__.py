"""The proof of a patrol: what was seen, confirmed and found, the pictures that the hub took, and submitting it.

- `transitions` (pure): what a result becomes by what is done; `results` (pure): what a confirmation needs; `rows`: from
  and to rows.
- `sightings` takes what pages report; `moments` and `instant` have the hub take pictures, `pictures` keeps them.
- `run_results`: results as people read and confirm them; `findings` notes what was found, `finding_list` and
  `finding_sheet` show it.
- `patrol_proof` is called by whoever moves runs: results are made, excused (`excuses`), checked and sealed.
- `parts` puts them together.
"""
