from django.apps import AppConfig


class AuthConfigsConfig(AppConfig):
    name = "authconfigs"
    verbose_name = "Security"
    default_auto_field = "django.db.models.BigAutoField"
