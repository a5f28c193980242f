from django.contrib import admin
from django.utils.safestring import SafeString

from tenants.admin_base import TenantAdmin
from tenants.badges import environment_badge
from tenants.models import Environment
from tenants.site import site


@admin.register(Environment, site=site)
class EnvironmentAdmin(TenantAdmin):
    list_display = ("name_column", "slug", "protected")
    search_fields = ("name", "slug")
    empty_words = "An environment is a stage of yours, such as staging or production. Each has credentials of its own, so that none is shared by accident."
    fields = ("slug", "name", "protected")
    natural_key = ("slug",)

    @admin.display(description="Environment", ordering="name")
    def name_column(self, environment: Environment) -> SafeString:
        return environment_badge(environment)
