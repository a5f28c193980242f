"""People and their roles, as a file wants them. A password is set when a person is made, and never again."""

from integrations.files.outcome import Report
from integrations.files.placeholders import Unreadable, is_placeholder, resolve
from integrations.files.shapes import Entry
from integrations.files.work import Options, Work, unique
from tenants import audit
from tenants.models import Membership, Tenant, User
from tenants.roles import Role
from tenants.wording import column_errors


def apply_staff(work: Work, options: Options, report: Report) -> None:
    """Make people who aren't there and give roles in the tenant, which keeps an admin if it has one."""
    entries = unique(work.entry.entries("staff"), ("username",), report)
    users = User.objects.in_bulk([entry["username"] for entry in entries], field_name="username")
    roles = {row.user_id: row for row in Membership.objects.filter(user__in=users.values())}
    had_admin = Membership.objects.filter(role=Role.ADMIN).exists()
    for entry in entries:
        known = users.get(entry["username"])
        membership = roles.get(known.id) if known is not None else None
        stored = membership.role if membership is not None else Role.VIEWER
        role = entry.value("role", stored=stored, default=Role.VIEWER)
        if role not in Role.values:
            report.refuse(
                entry.at("role"), f"A role is one of {', '.join(Role.values)}. Use one of those."
            )
            continue
        user = known or _make(entry, work.tenant, options, report)
        if user is None:
            continue
        fields = ["role"] if membership is None or role != membership.role else []
        if fields:
            membership = membership or Membership(user=user)
            membership.role = role
            created = membership._state.adding
            membership.save()
            audit.record("create" if created else "change", membership, fields=fields)
            if known is None:
                fields = [
                    "username",
                    "email",
                    "role",
                    *(["password"] if "password" in entry else []),
                ]
            name = f"{work.tenant.slug}/{user.username}"
            report.created_or_updated(created, "staff", name, fields=fields)
    if had_admin and not Membership.objects.filter(role=Role.ADMIN).exists():
        report.refuse(
            work.entry.at("staff"),
            "The tenant would be left without an admin. Keep one, or add another.",
        )


def _make(entry: Entry, tenant: Tenant, options: Options, report: Report) -> User | None:
    """A new person; None when something is wrong with them."""
    home = tenant
    if slug := entry.value("home", stored=None, default=None):
        found = Tenant.objects.filter(slug=slug).first()
        if found is None:
            report.refuse(
                entry.at("home"),
                "There is no tenant of this slug. Add it under tenants, or name another.",
            )
            return None
        home = found
    user = User(
        username=User.normalize_username(entry["username"]),
        email=entry.value("email", stored="", default=""),
        home_tenant=home,
    )
    errors = column_errors(user, ["username", "email"])
    for name, messages in errors.items():
        report.refuse(entry.at(name), " ".join(messages))
    try:
        user.set_password(_password(entry, options))
    except Unreadable as problem:
        report.refuse(entry.at("password"), str(problem))
        return None
    if errors:
        return None
    user.save()
    return user


def _password(entry: Entry, options: Options) -> str | None:
    value = entry.value("password", stored=None, default=None)
    if value is None:
        return None
    if options.keep_secrets and is_placeholder(value):
        raise Unreadable(
            "This person is new and needs the password, which --keep-secrets leaves out. Apply it once without --keep-secrets."
        )
    password = resolve(value, folder=options.folder)
    if not password:
        raise Unreadable("A password can't be empty. Write one, or leave it out.")
    return password
