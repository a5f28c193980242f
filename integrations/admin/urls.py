"""Addresses beside those of models: the state of the background work, names for forms, and help."""

from django.urls import path

from integrations.admin.background import health_box
from integrations.admin.help import symptom_view, symptoms_view
from integrations.admin.suggesting import suggest_configs, suggest_integrations
from tenants.site import site

urlpatterns = [
    path("health/", site.admin_view(health_box), name="health_box"),
    path("suggest/configs/", site.admin_view(suggest_configs), name="suggest_configs"),
    path(
        "suggest/integrations/", site.admin_view(suggest_integrations), name="suggest_integrations"
    ),
    path("help/", site.admin_view(symptoms_view), name="help_symptoms"),
    path("help/<slug:symptom>/", site.admin_view(symptom_view), name="help_symptom"),
]
