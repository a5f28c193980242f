"""The pages of staff, environments and activity, and the platform operators' list of tenants."""

from tenants.admin.activity import AuditEventAdmin
from tenants.admin.environments import EnvironmentAdmin
from tenants.admin.people import MembershipAdmin
from tenants.admin.platform import TenantListAdmin

__all__ = ["AuditEventAdmin", "EnvironmentAdmin", "MembershipAdmin", "TenantListAdmin"]
