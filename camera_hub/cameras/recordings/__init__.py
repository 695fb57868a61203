"""What devices themselves record: oldest day, gaps, whether it runs. The hub records nothing here, it only looks.

`spans` (pure) stretches of time; `schedule` (pure) when recording is due; `days` (pure) from stretches to days of the
site's calendar; `judging` (pure) whether that is as it should be; `roads` how devices are asked (ONVIF's search, else
the vendor's interface); `store` the rows; `checks` the loop that asks each device some times a day.
"""
