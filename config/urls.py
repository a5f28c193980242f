from django.urls import include, path
from django.views.generic import RedirectView

from integrations.admin.background import health_box
from tenants.site import site

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("tenants.urls")),
    path("", include("authconfigs.authorization.urls")),
    path("admin/health/", site.admin_view(health_box), name="health_box"),
    path("admin/", site.urls),
]
