"""The contract of Godwit for a module in Python: records, changes of the catalog, and failures with their place.

A record is edited as it stands in its line. Only what is asked for is parsed, and only what is set is
written anew: all else passes byte for byte, numbers of any length and precision among it.
"""

import json
import re
from functools import cache
from json.decoder import JSONDecodeError, scanstring

from componentize_py_types import Err
from wit_world.imports import parameters
from wit_world.imports.catalog import Column, Kind, Object
from wit_world.imports.types import Chunk, Failure

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# Finds the end of a value; the numbers in it are never turned into Python's.
_scan = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).scan_once


class Wrong(Exception):
    """What is wrong with the data, and with which field of it."""

    def __init__(self, message, field=None):
        super().__init__(message)
        self.field = field


class Record:
    """One record, for functions that take it and return it changed."""

    def __init__(self, line):
        self._line = line
        self._touched = False
        # In the order of the fields; members and values are JSON text.
        self._members, self._names, self._values = _split(line)

    def raw(self, name):
        """A field's value, as the JSON text that it is."""
        return self._values[self._place(name)]

    def text(self, name):
        """A field that must hold text."""
        raw = self.raw(name)
        if not raw.startswith('"'):
            raise Wrong(f"invalid type: {raw}, expected a string", name)
        return json.loads(raw)

    def optional_text(self, name):
        """A field that holds text or null."""
        return None if self.raw(name) == "null" else self.text(name)

    def integer(self, name):
        """A field that must hold a whole number."""
        raw = self.raw(name)
        if not raw.removeprefix("-").isdecimal():
            raise Wrong(f"invalid type: {raw}, expected an integer", name)
        return int(raw)

    def rename(self, old, new):
        """Gives a field another name; place and value stay."""
        at = self._place(old)
        self._refuse_second(new)
        self._put(at, new, self._values[at])

    def set(self, name, value):
        """Sets a field where it stands."""
        self._put(self._place(name), name, to_json(value))

    def insert_after(self, name, new, value):
        """Puts a new field behind another."""
        at = self._place(name) + 1
        self._refuse_second(new)
        for fields in (self._members, self._names, self._values):
            fields.insert(at, None)
        self._put(at, new, to_json(value))

    def line(self):
        """The record as it now is."""
        if not self._touched:
            return self._line
        return "{" + ",".join(self._members) + "}"

    def key(self, names):
        """What tells it from others, as JSON: the fields named, else `id`, else the first."""
        values = dict(zip(self._names, self._values))
        if all(name in values for name in names):
            keys = [values[name] for name in names]
            return keys[0] if len(keys) == 1 else f"[{','.join(keys)}]"
        return next(iter(values.values()), None)

    def _place(self, name):
        if name in self._names:
            return self._names.index(name)
        raise Wrong(f"the record has no such field; it has {', '.join(self._names)}", name)

    def _refuse_second(self, name):
        if name in self._names:
            raise Wrong("the record already has a field of this name", name)

    def _put(self, at, name, value):
        self._members[at], self._names[at], self._values[at] = f'{_quoted(name)}:{value}', name, value
        self._touched = True


# A member as Godwit writes it, with a plain name and no array or object for its value.
_MEMBER = re.compile(r'("([^"\\]*)":("[^"\\]*(?:\\.[^"\\]*)*"|[-+.0-9A-Za-z]+))')


def _split(line):
    """Members, names and values of the fields."""
    found = _MEMBER.findall(line)
    members, names, values = map(list, zip(*found)) if found else ([], [], [])
    # Where nothing stands between what was found, it is all that there is.
    return (members, names, values) if "{" + ",".join(members) + "}" == line else _scan_fields(line)


def _scan_fields(line):
    """The same for whatever else JSON may look like."""
    members, names, values = [], [], []
    try:
        at = _space(line, _expect(line, _space(line, 0), "{"))
        while line[at] != "}":
            start = at
            name, at = scanstring(line, _expect(line, at, '"'), True)
            value = _space(line, _expect(line, _space(line, at), ":"))
            end = _scan(line, value)[1]
            members.append(line[start:end])
            names.append(name)
            values.append(line[value:end])
            at = _space(line, end)
            if line[at] != "}":
                at = _space(line, _expect(line, at, ","))
        if line[at + 1 :].strip(" \t\r"):
            raise Wrong("is not a JSON object: something follows it")
    except (JSONDecodeError, StopIteration, IndexError) as error:
        raise Wrong(f"is not a JSON object: {error}") from None
    return members, names, values


def _expect(line, at, mark):
    if line[at] != mark:
        raise Wrong(f"is not a JSON object: a {mark} is missing at character {at}")
    return at + 1


def _space(line, at):
    while line[at] in " \t\r":
        at += 1
    return at


def to_json(value):
    """JSON as Godwit writes it."""
    return _encode(value)


@cache
def _quoted(name):
    """A name as JSON; the same few come for every record."""
    return to_json(name)


def parameter(name):
    """A parameter that module.json declares."""
    text = parameters.get(name)
    if text is None:
        raise Wrong(f"the parameter {name} has no value; declare it in module.json, with a default or without")
    return json.loads(text)


def transform(chunk, functions, keys):
    """Calls the function of the chunk's collection with each record, and with `emit(collection, record)`.

    What it returns is the new record, a `Record` or a `dict`; `None` leaves it out.
    """
    out = {chunk.collection: []}

    def emit(collection, record):
        line = record.line() if isinstance(record, Record) else to_json(record)
        out.setdefault(collection, []).append(line.encode())

    function = functions[chunk.collection]
    for number, line in enumerate(_lines(chunk)):
        record = None
        try:
            record = Record(line)
            new = function(record, emit)
            if new is not None:
                emit(chunk.collection, new)
        except Exception as error:
            key = Record(line).key(keys.get(chunk.collection, ["id"])) if record else None
            raise failure(error, chunk.collection, number, key) from None
    return [Chunk(name, 0, b"\n".join(lines) + b"\n") for name, lines in out.items() if lines]


def _lines(chunk):
    """Only a line feed ends a line: `splitlines` would cut at U+2028 too."""
    return chunk.records.decode().removesuffix("\n").split("\n") if chunk.records else []


def failure(error, collection=None, record=None, key=None):
    """An error as the host takes it. A mistake of the program is told like one of the data."""
    message = str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
    return Err(Failure(message, collection, record, key, getattr(error, "field", None)))


def text_column(name, nullable=False, default=None):
    """A new column of text."""
    return Column(name, Kind.TEXT, False, nullable, default, None, False)


def integer_column(name):
    """A new column of 64-bit integers."""
    return Column(name, Kind.INT64, False, False, None, None, False)


def index(name, collection, definition):
    """A new index."""
    return Object("index", name, collection, definition)


def find(what, name, items):
    """The item of this name."""
    for item in items:
        if item.name == name:
            return item
    names = ", ".join(item.name for item in items) or "none"
    raise Wrong(f"there is no {what} {name}; there is {names}")


def change(catalog, name):
    """A collection, to be changed; the host writes its new definition."""
    collection = find("collection", name, catalog.collections)
    collection.definition = None
    return collection


def column(collection, name):
    """A column of a collection."""
    return find(f"column of {collection.name} named", name, collection.columns)


def add_column_after(collection, name, new):
    """Adds a column behind another."""
    collection.columns.insert(collection.columns.index(column(collection, name)) + 1, new)


def rename_column(catalog, collection, old, new):
    """Gives a column another name; keys and the references of all collections follow."""
    column(collection, old).name = new
    for names in [collection.primary_key, *collection.unique, *(r.columns for r in collection.references)]:
        _replace(names, old, new)
    for other in catalog.collections:
        for reference in other.references:
            if reference.collection == collection.name and old in reference.foreign_columns:
                _replace(reference.foreign_columns, old, new)
                other.definition = None


def _replace(names, old, new):
    names[:] = [new if name == old else name for name in names]


def drop_collection(catalog, name):
    """Removes a collection with its indexes and triggers."""
    catalog.collections.remove(find("collection", name, catalog.collections))
    catalog.objects = [o for o in catalog.objects if o.collection != name or o.kind not in ("index", "trigger")]


def replace_object(catalog, name, definition):
    """Gives an index, view or trigger another definition."""
    find("object", name, catalog.objects).definition = definition


def drop_object(catalog, name):
    """Removes an index, view or trigger."""
    catalog.objects.remove(find("object", name, catalog.objects))
