from django.urls import path

from tenants import password_links, views

urlpatterns = [
    path("switch-tenant/", views.switch_tenant, name="switch_tenant"),
    path("password-link/", password_links.open_link, name="open_password_link"),
    path("set-password/", password_links.set_password, name="set_password"),
    path("password-set/", password_links.password_set, name="password_set"),
]
