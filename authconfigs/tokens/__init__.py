"""Access tokens: reused until their margin, obtained by one exchange for all who want one, never lost to an edit.

`usable` is the way in. `verdict` decides from the row alone; `flights` makes the threads of a process share one run, `lease`
the processes; `renewal` asks under the lease and `exchange` speaks to the endpoint, as `grants` says for each method;
`schedule` is the arithmetic of time, `values` the cache of plain tokens.
"""

from authconfigs.tokens.renewal import token_asked
from authconfigs.tokens.usable import usable_token
from authconfigs.tokens.values import Token

__all__ = ["Token", "token_asked", "usable_token"]
