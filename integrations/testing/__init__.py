"""Test connection: the run of a call, step by step, then the same request with a wrong credential, and what it all means.

`turns` and `rate` say who may run; `plan` is the test request; `run` goes through the stages and `control` shows the wrong
credential; `evidence` masks what is kept, `storing` keeps it. `bulk` tests many at once, `config_tests` an auth config.
"""

from integrations.testing.bulk import test_connections
from integrations.testing.config_tests import test_config
from integrations.testing.documents import document_of_test
from integrations.testing.single import test_connection

__all__ = ["document_of_test", "test_config", "test_connection", "test_connections"]
