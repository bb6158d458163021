"""All paths of the bank. Those of the API have no slash at their end."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from audit.admin import trail
from core.admin.sign_in import sign_in
from core.api.docs import DocsView, SchemaView
from core.api.health import LiveView, ReadyView
from core.api.refusals import answer_unknown_path
from events.metrics import show_metrics
from transfers.statements.admin import admin_urlpatterns

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("livez", LiveView.as_view()),
    path("readyz", ReadyView.as_view()),
    path("metrics", show_metrics),
    re_path("^api/schema/?$", SchemaView.as_view(), name="schema"),
    re_path("^api/docs/?$", DocsView.as_view(url_name="schema")),
    path("api/v1/", include("core.urls")),
    path("api/v1/", include("kyc.urls")),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("transfers.urls")),
    path("api/v1/", include("transfers.statements.urls")),
    path("api/v1/", include("transfers.payments.urls")),
    path("api/v1/", include("transfers.standing_orders.urls")),
    path("api/v1/", include("notifications.urls")),
    re_path("^api/", answer_unknown_path),
    # The theme's search of menus puts into the cache what JSON cannot hold; templates/ leaves its palette out.
    path("admin/search/", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", sign_in),
    path("admin/language/", set_language, name="set_language"),
    path("admin/", include("core.admin.factors")),
    path("admin/", include("core.admin.single_sign_on")),
    path("admin/", include(admin_urlpatterns)),
    path("admin/", include(trail.admin_urlpatterns)),
    path("admin/", admin.site.urls),
]

handler400 = "core.api.refusals.answer_bad_request"
handler403 = "core.api.refusals.answer_forbidden"
handler404 = "core.api.refusals.answer_not_found"
handler500 = "core.api.refusals.answer_server_error"
