"""From what happened to what a person can do about it. Pure: no database, no network, nothing secret.

`words` is the table that support staff read, in `no_answer`, `token_errors` and `answers`; `explaining` fills it in. `answers` says what an answer means, from its status,
its challenges (`challenges`) and the form of what was sent (`sent`); `facts` are the values of a config that checks may name.
"""

from integrations.diagnosis.answers import Answer, Finding, diagnose, symptom_of
from integrations.diagnosis.explaining import Explanation, explain, explain_failure
from integrations.diagnosis.facts import facts_of_options, without_query
from integrations.diagnosis.sent import Sent, sent_in

__all__ = [
    "Answer",
    "Explanation",
    "Finding",
    "Sent",
    "diagnose",
    "explain",
    "explain_failure",
    "facts_of_options",
    "sent_in",
    "symptom_of",
    "without_query",
]
