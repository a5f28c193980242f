from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Staff and activity"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tenants import audit_triggers, checks, composite_keys, logins

        checks.register()
        logins.connect()
        post_migrate.connect(audit_triggers.install_after_migrate, sender=self)
        # Without sender: the tables of all apps, and of whichever was migrated.
        post_migrate.connect(composite_keys.install_after_migrate)
