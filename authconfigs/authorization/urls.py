from django.urls import path

from authconfigs.authorization import views

urlpatterns = [
    path("oauth/consent/", views.consent_link, name="consent_link"),
    path("oauth/callback/", views.callback, name="oauth_callback"),
    # Redirected to the other, the code would stand in one more answer.
    path("oauth/callback", views.callback, name="oauth_callback_without_slash"),
    path("oauth/result/", views.result, name="oauth_result"),
]
