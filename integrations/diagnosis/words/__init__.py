"""The words of every symptom: what support staff read aloud.

Each row: symptom, case, row of the troubleshooting matrix; a plain sentence; the likely cause; checks in the order to make
them. Names in braces are filled in from the connection, its auth config and the answer. A check that names a field which the
config doesn't have is left out, so one list serves every method: `{key}` and `{placement}` belong to API keys, `{username}`
to Basic and the password grant, `{header}` with `{prefix}` to bearer tokens, `{header_prefix}` to OAuth tokens.
"""

from integrations.diagnosis.words import answers, no_answer, token_errors
from integrations.diagnosis.words.matrix import MATRIX, Line
from integrations.diagnosis.words.meanings import MEANINGS
from integrations.diagnosis.words.row import GENERIC, Row

__all__ = ["GENERIC", "MATRIX", "MEANINGS", "ROWS", "Line", "Row"]

ROWS = (*no_answer.ROWS, *token_errors.ROWS, *answers.ROWS)
