"""Which devices may be one: questions that a person decides.

- `questions`: raised within a transaction, each only once, bounded
- `trust`: whether a registered device's place is still its own; else it gets no login
- `watch`: devices that announce themselves, or are found, at another place
- `taking_over`: what an answer changes in the register
- `matches`: the questions as people see them, and their answers
- `views`: as frozen values
"""
