"""What the console's pages draw."""

from django import template

from tenants import badges

register = template.Library()

register.simple_tag(badges.environment_badge)
register.simple_tag(badges.pill)
register.filter(badges.moment)
register.filter(badges.ago)
register.filter(badges.at)
register.filter(badges.until)
register.filter(badges.due)
register.filter(badges.expiry)
register.filter(badges.lasting)
