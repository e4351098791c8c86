"""Takes the data of the inventory application from 1.0 to 1.1.

- devices: `hostname` is now `name`, statuses have other words, `location` is a document, and `kind` is new.
- users: `full_name` is split into `first_name` and `last_name`; `street` and `city` move to the new
  collection `addresses`.
- `sessions` is gone. `app_meta` tells the new version. Everything else passes untouched.
"""

import re

import godwit
import wit_world
from evolve import evolve
from godwit import Wrong, to_json

STATUSES = {"up": "active", "down": "offline", "spare": "stock", "broken": "failed", "retired": "retired"}

# What Unicode calls white space; `str.strip` takes the separators U+001C to U+001F as well.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def app_meta(record, emit):
    if record.text("key") == "version":
        record.set("value", "1.1.0")
    return record


def device(record, emit):
    record.rename("hostname", "name")
    record.insert_after("name", "kind", "other")
    record.set("status", status(record.text("status")))
    location = record.optional_text("location")
    if location is not None:
        record.set("location", read_location(location))
    return record


def status(old):
    return STATUSES.get(old) or unknown_status(old)


def unknown_status(old):
    """What the operator wants done with a status that 1.0 does not know: nothing, unless told."""
    policy = godwit.parameter("unknown_status")
    if policy == "fail":
        raise Wrong(
            f"unknown value {to_json(old)}; 1.0 knows up, down, spare, broken and retired. Correct it there, "
            "or give the parameter unknown_status the status that it becomes",
            "status",
        )
    if policy in STATUSES.values():
        return policy
    raise Wrong(f'the parameter unknown_status is {to_json(policy)}, which is neither "fail" nor a status of 1.1')


def read_location(text):
    """Where a device stands: in 1.0 the text `DC1/R12/U7`, with less of it where less is known."""
    parts = text.split("/")
    site, rack, unit = (parts + [None, None])[:3]
    number = None if unit is None else read_unit(unit, text)
    if len(parts) > 3:
        raise Wrong(f"{to_json(text)} has more parts than site/rack/unit", "location")
    return {"site": site, "rack": rack, "unit": number}


def read_unit(unit, text):
    match = re.fullmatch(r"U\+?0*([0-9]{1,5})", unit)
    if match and int(match[1]) <= 65535:
        return int(match[1])
    raise Wrong(f"{to_json(text)} ends in no rack unit such as U7", "location")


def user(old, emit):
    id, street, city = old.integer("id"), old.optional_text("street"), old.optional_text("city")
    first_name, last_name = split_name(old.text("full_name"))
    new = {"id": id, "first_name": first_name, "last_name": last_name}
    new |= {"email": old.optional_text("email"), "role": old.text("role"), "created_at": old.text("created_at")}
    if street is not None or city is not None:
        emit("addresses", {"id": id, "user_id": id, "street": street, "city": city})
    return new


def split_name(full):
    """The last word is the last name; a single word is a first name."""
    first, space, last = full.strip(WHITE_SPACE).rpartition(" ")
    return (first.rstrip(WHITE_SPACE), last) if space else (last, None)


def drop(record, emit):
    return None


FUNCTIONS = {"app_meta": app_meta, "devices": device, "users": user, "sessions": drop}
KEYS = {"app_meta": ["key"]}


class WitWorld(wit_world.WitWorld):
    def evolve(self, catalog):
        try:
            evolve(catalog)
        except Exception as error:
            raise godwit.failure(error) from None
        return catalog

    def transform(self, chunk):
        return godwit.transform(chunk, FUNCTIONS, KEYS)

    def finish(self):
        return []

    def verify(self):
        pass
