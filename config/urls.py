from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from tenants.site import site

handler400 = "tenants.error_pages.bad_request"
handler403 = "tenants.error_pages.permission_denied"
handler500 = "tenants.error_pages.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # Asked for by browsers on their own.
    path("favicon.ico", RedirectView.as_view(url=static("console/favicon.svg")), name="favicon"),
    path("", include("tenants.urls")),
    path("", include("authconfigs.authorization.urls")),
    path("admin/", include("integrations.admin.urls")),
    path("admin/", site.urls),
]
