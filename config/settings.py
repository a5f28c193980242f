"""Settings, all from the environment or `.env`; the README's table explains each variable."""

from contextlib import suppress
from datetime import timedelta
from math import ceil
from pathlib import Path

from django.templatetags.static import static

from authconfigs.keyring import KeyringError, parse_keyring
from config import values
from config.environment import Environment, make_private, private_folder, refuse
from config.logs import logging_settings
from config.navigation import navigation, tenant_name

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Environment.load(BASE_DIR / ".env")

SECRET_KEY = env.read("SECRET_KEY", str)
FIELD_ENCRYPTION_KEYS = env.read("FIELD_ENCRYPTION_KEYS", str)
try:
    parse_keyring(FIELD_ENCRYPTION_KEYS)
except KeyringError as error:
    refuse("FIELD_ENCRYPTION_KEYS", str(error))

DEBUG = env.read("DEBUG", values.boolean, default="off")
_public = env.read("PUBLIC_BASE_URL", values.base_url, default="http://127.0.0.1:8000")
PUBLIC_BASE_URL = _public.text
ALLOWED_HOSTS = [*env.read("ALLOWED_HOSTS", values.words, default=""), *_public.hosts]

OAUTH_PASSWORD_GRANT = env.read("OAUTH_PASSWORD_GRANT", values.boolean, default="on")
OUTBOUND_ALLOW_NETWORKS = env.read("OUTBOUND_ALLOW_NETWORKS", values.networks, default="")
OUTBOUND_CA_BUNDLE = env.optional("OUTBOUND_CA_BUNDLE", values.existing_file)
OUTBOUND_PROXY = env.optional("OUTBOUND_PROXY", values.proxy)
OUTBOUND_TIMEOUT = env.read("OUTBOUND_TIMEOUT", values.seconds, default="20")
OUTBOUND_MAX_BYTES = env.read("OUTBOUND_MAX_BYTES", values.positive_int, default=str(10 * 2**20))
TEST_RATE_PER_MINUTE = env.read("TEST_RATE_PER_MINUTE", values.positive_int, default="60")
# How long a lease outlives the exchange that it is for: unsealing, storing, a busy database.
LEASE_SPARE_SECONDS = env.read("LEASE_SPARE_SECONDS", values.seconds, default="10")
# How often due tokens are looked for, and how many are asked for at once by a worker process: in all, and of one host.
BEAT_SECONDS = env.read("BEAT_SECONDS", values.seconds, default="60")
REFRESH_CONCURRENCY = env.read("REFRESH_CONCURRENCY", values.positive_int, default="128")
REFRESH_PER_HOST = env.read("REFRESH_PER_HOST", values.positive_int, default="16")
# Usage is counted in memory and written at most this much later; None writes it only when it is asked for.
USAGE_FLUSH_SECONDS: float | None = 10

# Applications

INSTALLED_APPS = [
    "tenants",
    "authconfigs",
    "integrations",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
]
MIDDLEWARE = [
    "authconfigs.authorization.unkept.UnkeptAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "tenants.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.TenantMiddleware",
    "tenants.post_only.PostOnlyMiddleware",
    # Last: it turns the answer to a locked-out login into its own.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            # Its csrf_token says for which tenant the form is drawn.
            "builtins": ["tenants.templatetags.csrf"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tenants.site.look",
            ],
        },
    },
]
UNFOLD = {
    "SITE_TITLE": "Outbound Auth Console",
    "SITE_HEADER": "Outbound Auth Console",
    "SITE_SUBHEADER": tenant_name,
    "SITE_SYMBOL": "key",
    # There is no site besides the console to return to.
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("console/favicon.svg"),
        }
    ],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "integrations.admin.home.home",
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [lambda request: static("console/console.js")],
    "SIDEBAR": {"navigation": navigation(), "show_search": True, "command_search": True},
    # A history would be kept in the browser, where it shows the names of one tenant in another.
    "COMMAND": {"show_history": False},
}
STATIC_URL = "static/"
# Assets come out of the installed packages, so that nobody has to collect them.
WHITENOISE_USE_FINDERS = True
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
FORMS_URLFIELD_ASSUME_HTTPS = True

# Data

DATABASES = {
    "default": env.read(
        "DATABASE_URL", values.database, default=f"sqlite:///{VAR_DIR / 'console.sqlite3'}"
    )
}
if Path(DATABASES["default"]["NAME"]).parent == VAR_DIR:
    # SQLite makes the file, not its folder.
    private_folder(VAR_DIR)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "tenants.backend.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "tenants.logins.counted_as"
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "tenants.error_pages.locked_out"
# Its tables know no tenant.
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Browsers

SESSION_COOKIE_AGE = 12 * 3600
# With Strict, the answer of a provider would arrive without the session.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.secure
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
CSRF_FAILURE_VIEW = "tenants.error_pages.csrf_failure"
# The longest test body fits, also when all of it has to be percent-encoded.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
SECURE_SSL_REDIRECT = _public.secure
SECURE_HSTS_SECONDS = 365 * 86400 if _public.secure else 0
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # Whether sibling hosts speak https, too, isn't ours to say.
    "security.W005",
    "security.W021",
]

# Mail and logs

_email = env.read("EMAIL_URL", values.email, default="consolemail://")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_HOST = _email["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _email["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.read(
    "DEFAULT_FROM_EMAIL", str, default="outbound-auth-console@localhost"
)
DEFAULT_EXCEPTION_REPORTER = "config.reports.NameOnlyReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.NameOnlyFilter"
LOGGING = logging_settings(env.read("LOG_LEVEL", values.log_level, default="INFO"))

# Background work

CELERY_BROKER_URL = env.read("BROKER_URL", values.broker, default="filesystem://")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for its broker as long as it takes; whoever sends gives up within 5 s.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_REDIRECT_STDOUTS = False
# A sweep takes nothing new after 30 s, and what it then has in hand ends within two exchanges.
CELERY_TASK_SOFT_TIME_LIMIT = 60 + 2 * ceil(OUTBOUND_TIMEOUT)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 15
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "authconfigs.beat:HeartbeatScheduler"
# What a worker didn't come to before the next one is due is dropped: the next one finds it.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    task.rpartition(".")[2]: {
        "task": task,
        "schedule": timedelta(seconds=every),
        "options": {"expires": every},
    }
    for task, every in (
        ("authconfigs.tasks.sweep", BEAT_SECONDS),
        ("authconfigs.tasks.send_mails", BEAT_SECONDS),
        ("authconfigs.tasks.prune", 3600),
        ("integrations.tasks.take_up_bulk_tests", BEAT_SECONDS),
    )
}
if CELERY_BROKER_URL.startswith("filesystem://"):
    BROKER_DIR = Path(CELERY_BROKER_URL.removeprefix("filesystem://") or VAR_DIR / "broker")
    CELERY_BROKER_URL = "filesystem://localhost//"
    CELERY_BROKER_TRANSPORT = "config.broker:Transport"
    # Without it pages work on, and `check_health` tells.
    with suppress(OSError):
        make_private(BROKER_DIR)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR),
        "data_folder_out": str(BROKER_DIR),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.2,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    # What a killed worker had in hand comes again after this; by default it takes an hour.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT,
        "socket_connect_timeout": 2,
        "socket_timeout": 4,
    }
