"""The pages of auth configs.

`configs` registers them; `listing` is the list, `pages` the add and change pages with `forms`, `buttons` what is pressed
there, `connecting` the way to the provider, `states` the words for what is known.
"""

from authconfigs.admin.configs import AuthConfigAdmin

__all__ = ["AuthConfigAdmin"]
