"""Pure decisions: verdicts per aspect, causes along village → device → camera, changes of alarms."""
