"""The proof of a patrol: what was seen, confirmed and found, the pictures that the hub took, and submitting it.

- `results` (pure): what a result may become, and what a confirmation needs; `rows`: from and to rows.
- `sightings` takes what pages report; `moments` and `instant` have the hub take pictures, `pictures` keeps them.
- `run_results`: results as people read and confirm them; `findings`, `finding_sheet`: what was found.
- `patrol_proof` is called by whoever moves runs: results are made, excused (`excuses`), checked and sealed.
- `parts` puts them together.
"""
