from django.urls import include, path
from django.views.generic import RedirectView

from tenants.site import site

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("tenants.urls")),
    path("admin/", site.urls),
]
