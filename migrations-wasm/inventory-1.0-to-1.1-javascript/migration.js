// Takes the data of the inventory application from 1.0 to 1.1.
//
// - devices: `hostname` is now `name`, statuses have other words, `location` is a document, and `kind` is new.
// - users: `full_name` is split into `first_name` and `last_name`; `street` and `city` move to the new
//   collection `addresses`.
// - `sessions` is gone. `app_meta` tells the new version. Everything else passes untouched.

import { evolveCatalog } from './evolve.js';
import { failure, parameter, transformWith, Wrong } from './godwit.js';

const STATUSES = new Map([
  ['up', 'active'],
  ['down', 'offline'],
  ['spare', 'stock'],
  ['broken', 'failed'],
  ['retired', 'retired'],
]);

const FUNCTIONS = { app_meta: appMeta, devices: device, users: user, sessions: () => null };
const KEYS = { app_meta: ['key'] };

export function evolve(catalog) {
  try {
    evolveCatalog(catalog);
  } catch (error) {
    throw failure(error);
  }
  return catalog;
}

export function transform(chunk) {
  return transformWith(FUNCTIONS, KEYS, chunk);
}

export function finish() {
  return [];
}

export function verify() {}

function appMeta(record) {
  if (record.text('key') === 'version') record.set('value', '1.1.0');
  return record;
}

function device(record) {
  record.rename('hostname', 'name');
  record.insertAfter('name', 'kind', 'other');
  record.set('status', status(record.text('status')));
  const location = record.optionalText('location');
  if (location !== null) record.set('location', readLocation(location));
  return record;
}

function status(old) {
  return STATUSES.get(old) ?? unknownStatus(old);
}

// What the operator wants done with a status that 1.0 does not know: nothing, unless told.
function unknownStatus(old) {
  const policy = parameter('unknown_status');
  if (policy === 'fail') {
    throw new Wrong(
      `unknown value ${JSON.stringify(old)}; 1.0 knows up, down, spare, broken and retired. Correct it there, ` +
        'or give the parameter unknown_status the status that it becomes',
      'status',
    );
  }
  if ([...STATUSES.values()].includes(policy)) return policy;
  throw new Wrong(
    `the parameter unknown_status is ${JSON.stringify(policy)}, which is neither "fail" nor a status of 1.1`,
  );
}

// Where a device stands: in 1.0 the text `DC1/R12/U7`, with less of it where less is known.
function readLocation(text) {
  const [site, rack = null, unit, ...more] = text.split('/');
  const location = { site, rack, unit: unit === undefined ? null : readUnit(unit, text) };
  if (more.length > 0) throw new Wrong(`${JSON.stringify(text)} has more parts than site/rack/unit`, 'location');
  return location;
}

function readUnit(unit, text) {
  const digits = /^U\+?([0-9]+)$/.exec(unit)?.[1];
  if (digits !== undefined && Number(digits) <= 65535) return Number(digits);
  throw new Wrong(`${JSON.stringify(text)} ends in no rack unit such as U7`, 'location');
}

function user(old, emit) {
  const [id, street, city] = [old.integer('id'), old.optionalText('street'), old.optionalText('city')];
  if (street !== null || city !== null) emit('addresses', { id, user_id: id, street, city });
  const [first_name, last_name] = splitName(old.text('full_name'));
  const [email, role, created_at] = [old.optionalText('email'), old.text('role'), old.text('created_at')];
  return { id, first_name, last_name, email, role, created_at };
}

// What Unicode calls white space; `trim` takes U+FEFF as well, and not U+0085.
const SPACE = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACE}+`);
const TRAILING = new RegExp(`(?<!${SPACE})${SPACE}+$`);

// The last word is the last name; a single word is a first name.
function splitName(full) {
  const name = full.replace(LEADING, '').replace(TRAILING, '');
  const space = name.lastIndexOf(' ');
  return space < 0 ? [name, null] : [name.slice(0, space).replace(TRAILING, ''), name.slice(space + 1)];
}
