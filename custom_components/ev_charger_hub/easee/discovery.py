"""Discovery: whose account it is, and what it has."""

from contextlib import suppress
from dataclasses import replace

from .catalog import Catalog
from .errors import Forbidden, NotFound, Unavailable
from .json_values import an_object
from .requests import Requests
from .sites import Sites


async def user_of(requests: Requests) -> str:
    """Return the id of the user of an account; raises EaseeError."""
    profile = an_object((await requests.request("GET", "/api/accounts/profile")).body)
    match profile.get("userId"):
        case int() | str() as user if str(user).strip():
            return str(user).strip()
    raise Unavailable("a profile of nobody")


async def catalog_of(requests: Requests) -> Catalog:
    """Return everything that an account has; raises EaseeError.

    Some users may see a charger but not the site that it is on.
    """
    sites = Sites(requests)
    catalog = Catalog(sites=tuple(await sites.products()))
    with suppress(Forbidden, NotFound):
        known = catalog.chargers
        strays = [one for one in await sites.chargers() if one.serial not in known]
        catalog = replace(catalog, strays=tuple(strays))
    return catalog
