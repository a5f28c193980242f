"""The only room that opens connections: judged, bounded in time and size, and silent about secrets."""

from authconfigs.transport.deadline import Deadline
from authconfigs.transport.defaults import default_door, new_door
from authconfigs.transport.door import Door
from authconfigs.transport.guard import Guards
from authconfigs.transport.policy import NetworkPolicy, check_url
from authconfigs.transport.trace import Step, Trace

__all__ = [
    "Deadline",
    "Door",
    "Guards",
    "NetworkPolicy",
    "Step",
    "Trace",
    "check_url",
    "default_door",
    "new_door",
]
