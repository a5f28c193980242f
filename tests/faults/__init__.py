"""What happens when processes, queues and databases go away at the worst moment. FAULTS=short (default) or full."""

import os

FULL = os.environ.get("FAULTS", "short") == "full"
