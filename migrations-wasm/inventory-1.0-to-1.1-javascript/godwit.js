// The contract of Godwit for a module in JavaScript: records, changes of the catalog, and failures with
// their place.
//
// A record is edited as it stands in its line. `JSON.parse` of a whole one would lose the last digits of
// integers beyond 2^53, so only what is asked for is parsed, and only what is set is written anew.

import { get } from 'godwit:migration/parameters@0.1.0';

// What is wrong with the data, and with which field of it.
export class Wrong extends Error {
  constructor(message, field) {
    super(message);
    this.field = field;
  }
}

// One record, for functions that take it and return it changed.
export class Record {
  #line;
  #touched = false;
  // In the order of the fields; members and values are JSON text.
  #names = [];
  #members;
  #values = [];

  constructor(line) {
    this.#line = line;
    this.#members = line.match(MEMBER) ?? [];
    // Where nothing stands between what was found, it is all that there is.
    if (`{${this.#members.join(',')}}` === line) this.#split();
    else this.#scan();
  }

  #split() {
    for (const member of this.#members) {
      const end = member.indexOf('"', 1);
      this.#names.push(member.slice(1, end));
      this.#values.push(member.slice(end + 2));
    }
  }

  // The same for whatever else JSON may look like.
  #scan() {
    const line = this.#line;
    this.#members = [];
    let at = space(line, expect(line, space(line, 0), '{'));
    while (line[at] !== '}') {
      const start = at;
      expect(line, at, '"');
      const nameEnd = stringEnd(line, at);
      const valueStart = space(line, expect(line, space(line, nameEnd), ':'));
      const valueEnd = endOfValue(line, valueStart);
      this.#names.push(JSON.parse(line.slice(start, nameEnd)));
      this.#members.push(line.slice(start, valueEnd));
      this.#values.push(line.slice(valueStart, valueEnd));
      at = space(line, valueEnd);
      if (line[at] !== '}') at = space(line, expect(line, at, ','));
    }
    if (space(line, at + 1) !== line.length) malformed('something follows it');
  }

  // A field's value, as the JSON text that it is.
  raw(name) {
    return this.#values[this.#place(name)];
  }

  // A field that must hold text.
  text(name) {
    const raw = this.raw(name);
    if (raw[0] !== '"') throw new Wrong(`invalid type: ${raw}, expected a string`, name);
    return JSON.parse(raw);
  }

  // A field that holds text or null.
  optionalText(name) {
    return this.raw(name) === 'null' ? null : this.text(name);
  }

  // A field that must hold a whole number, as a BigInt.
  integer(name) {
    const raw = this.raw(name);
    if (!/^-?[0-9]+$/.test(raw)) throw new Wrong(`invalid type: ${raw}, expected an integer`, name);
    return BigInt(raw);
  }

  // Gives a field another name; place and value stay.
  rename(old, name) {
    const at = this.#place(old);
    this.#refuseSecond(name);
    this.#put(at, name, this.#values[at]);
  }

  // Sets a field where it stands.
  set(name, value) {
    this.#put(this.#place(name), name, toJson(value));
  }

  // Puts a new field behind another.
  insertAfter(other, name, value) {
    const at = this.#place(other) + 1;
    this.#refuseSecond(name);
    for (const fields of [this.#names, this.#members, this.#values]) fields.splice(at, 0, undefined);
    this.#put(at, name, toJson(value));
  }

  // The record as it now is.
  line() {
    return this.#touched ? `{${this.#members.join(',')}}` : this.#line;
  }

  // What tells it from others, as JSON: the fields named, else the first.
  key(names) {
    const keys = names.map((name) => this.#values[this.#names.indexOf(name)]);
    if (keys.includes(undefined)) return this.#values[0];
    return keys.length === 1 ? keys[0] : `[${keys}]`;
  }

  #place(name) {
    const at = this.#names.indexOf(name);
    if (at >= 0) return at;
    throw new Wrong(`the record has no such field; it has ${this.#names.join(', ')}`, name);
  }

  #refuseSecond(name) {
    if (this.#names.includes(name)) throw new Wrong('the record already has a field of this name', name);
  }

  #put(at, name, value) {
    this.#names[at] = name;
    this.#members[at] = `${JSON.stringify(name)}:${value}`;
    this.#values[at] = value;
    this.#touched = true;
  }
}

// A member as Godwit writes it, with a plain name and no array or object for its value.
const MEMBER = /"[^"\\]*":(?:"[^"\\]*(?:\\.[^"\\]*)*"|[-+.0-9A-Za-z]+)/g;

function endOfValue(line, at) {
  const first = line[at];
  if (first === '"') return stringEnd(line, at);
  if (first === '{' || first === '[') return nestedEnd(line, at);
  SCALAR.lastIndex = at;
  return SCALAR.test(line) ? SCALAR.lastIndex : malformed(`a value is missing at character ${at}`);
}

const SCALAR = /[-+.0-9a-zA-Z]+/y;
const MARK = /["{}[\]]/g;

function nestedEnd(line, start) {
  let depth = 0;
  for (MARK.lastIndex = start; ; ) {
    const mark = MARK.exec(line)?.[0] ?? malformed('an array or object does not end');
    if (mark === '"') MARK.lastIndex = stringEnd(line, MARK.lastIndex - 1);
    else if ((depth += mark === '{' || mark === '[' ? 1 : -1) === 0) return MARK.lastIndex;
  }
}

// Behind the first quote that no odd number of backslashes stands before.
function stringEnd(line, start) {
  for (let at = line.indexOf('"', start + 1); at >= 0; at = line.indexOf('"', at + 1)) {
    let before = at;
    while (line[before - 1] === '\\') before--;
    if ((at - before) % 2 === 0) return at + 1;
  }
  return malformed('a string does not end');
}

function expect(line, at, mark) {
  return line[at] === mark ? at + 1 : malformed(`a ${mark} is missing at character ${at}`);
}

function space(line, at) {
  while (line[at] === ' ' || line[at] === '\t' || line[at] === '\r') at++;
  return at;
}

function malformed(problem) {
  throw new Wrong(`is not a JSON object: ${problem}`);
}

// JSON as Godwit writes it.
function toJson(value) {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}

function lineOf(record) {
  if (record instanceof Record) return record.line();
  return `{${Object.entries(record).map(([name, value]) => `${JSON.stringify(name)}:${toJson(value)}`)}}`;
}

// A parameter that module.json declares.
export function parameter(name) {
  const text = get(name);
  if (text !== undefined) return JSON.parse(text);
  throw new Wrong(`the parameter ${name} has no value; declare it in module.json, with a default or without`);
}

// Calls the function of the chunk's collection with each record, and with `emit(collection, record)`. What it
// returns is the new record, a `Record` or an object; `null` leaves it out.
export function transformWith(functions, keys, chunk) {
  const { collection } = chunk;
  const out = new Map([[collection, []]]);
  const emit = (to, record) => {
    if (!out.has(to)) out.set(to, []);
    out.get(to).push(lineOf(record));
  };
  linesOf(chunk).forEach((line, number) => {
    let record;
    try {
      record = new Record(line);
      const made = functions[collection](record, emit);
      if (made !== null) emit(collection, made);
    } catch (error) {
      throw failure(error, { collection, record: BigInt(number), key: keyOf(line, record, keys[collection]) });
    }
  });
  const filled = [...out].filter(([, lines]) => lines.length > 0);
  const bytes = (lines) => new TextEncoder().encode(lines.join('\n') + '\n');
  return filled.map(([collection, lines]) => ({ collection, first: 0n, records: bytes(lines) }));
}

function linesOf({ records }) {
  if (records.length === 0) return [];
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(records);
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

// The key that the record came with, even if it has another by now.
function keyOf(line, record, names = ['id']) {
  return record && new Record(line).key(names);
}

// An error as the host takes it: no `Error`, or it would be a trap. A mistake of the program is told like one of
// the data.
export function failure(error, place = {}) {
  const message = error instanceof Wrong ? error.message : String(error);
  return { message, field: error.field, ...place };
}

// A new column.
export function column(name, kind, more = {}) {
  return { name, kind, array: false, nullable: false, generated: false, ...more };
}

// The item of this name.
export function find(what, name, items) {
  const item = items.find((item) => item.name === name);
  if (item) return item;
  throw new Wrong(`there is no ${what} ${name}; there is ${items.map((item) => item.name).join(', ') || 'none'}`);
}

// A collection, to be changed; the host writes its new definition.
export function change(catalog, name) {
  const collection = find('collection', name, catalog.collections);
  collection.definition = undefined;
  return collection;
}

export function columnOf(collection, name) {
  return find(`column of ${collection.name} named`, name, collection.columns);
}

// Puts columns, or none, in a column's place.
export function replaceColumn(collection, name, ...columns) {
  collection.columns.splice(collection.columns.indexOf(columnOf(collection, name)), 1, ...columns);
}

// Gives a column another name; keys and the references of all collections follow.
export function renameColumn(catalog, collection, old, name) {
  const renamed = (names) => names.map((other) => (other === old ? name : other));
  columnOf(collection, old).name = name;
  collection.primaryKey = renamed(collection.primaryKey);
  collection.unique = collection.unique.map(renamed);
  for (const reference of collection.references) reference.columns = renamed(reference.columns);
  for (const other of catalog.collections) {
    for (const reference of other.references) {
      if (reference.collection !== collection.name || !reference.foreignColumns.includes(old)) continue;
      reference.foreignColumns = renamed(reference.foreignColumns);
      other.definition = undefined;
    }
  }
}

// Removes a collection with its indexes and triggers.
export function dropCollection(catalog, name) {
  const dropped = find('collection', name, catalog.collections);
  catalog.collections = catalog.collections.filter((collection) => collection !== dropped);
  const goes = ({ kind, collection }) => collection === name && (kind === 'index' || kind === 'trigger');
  catalog.objects = catalog.objects.filter((object) => !goes(object));
}

// Gives an index, view or trigger another definition.
export function replaceObject(catalog, name, definition) {
  find('object', name, catalog.objects).definition = definition;
}

// Removes an index, view or trigger.
export function dropObject(catalog, name) {
  const dropped = find('object', name, catalog.objects);
  catalog.objects = catalog.objects.filter((object) => object !== dropped);
}
