"""How gunicorn serves the console: `gunicorn config.wsgi` reads this file by itself."""

import os
from typing import Any

from config.tether import tether

# Threads, so that a ten-second connection test doesn't stop the console.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 16
# Bad settings then end the master, once and with exit code 2, instead of one worker after the other.
preload_app = True
graceful_timeout = 30
timeout = 60
keepalive = 5
# Codes and states of some providers are long; the default is 4,094 bytes.
limit_request_line = 8190
# A server restarts workers by itself; nobody needs to steer it through a socket in the home folder.
control_socket_disable = True
accesslog = "-"
# %(U)s is the path alone: the query of a callback holds the code.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s bytes %(M)s ms'


def post_fork(server: Any, worker: Any) -> None:
    """Workers that outlive a killed master would keep the port."""
    tether(worker.ppid)
