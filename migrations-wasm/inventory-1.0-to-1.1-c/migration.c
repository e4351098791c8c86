// Takes the data of the inventory application from 1.0 to 1.1.
//
// - devices: `hostname` is now `name`, statuses have other words, `location` is a document, and `kind` is new.
// - users: `full_name` is split into `first_name` and `last_name`; `street` and `city` move to the new
//   collection `addresses`.
// - `sessions` is gone. `app_meta` tells the new version. Everything else passes untouched.

#include "godwit.h"

static bool app_meta(record *record, bool *write) {
  (void)write;
  text key;
  if (!get_text(record, TEXT("key"), &key)) return false;
  return !same(key, TEXT("version")) || set_text(record, TEXT("value"), TEXT("1.1.0"));
}

// The words of 1.0 and those of 1.1.
static const text statuses[][2] = {
  { TEXT("up"), TEXT("active") }, { TEXT("down"), TEXT("offline") }, { TEXT("spare"), TEXT("stock") },
  { TEXT("broken"), TEXT("failed") }, { TEXT("retired"), TEXT("retired") },
};
enum { STATUSES = sizeof statuses / sizeof *statuses };

// What the operator wants done with a status that 1.0 does not know: nothing, unless told.
static bool unknown_status(text old, text *new) {
  if (!parameter(TEXT("unknown_status"), new)) return false;
  if (same(*new, TEXT("fail")))
    return fail_with(TEXT("status"), TEXT("unknown value "), quoted(old), TEXT(
      "; 1.0 knows up, down, spare, broken and retired. Correct it there, "
      "or give the parameter unknown_status the status that it becomes"));
  for (size_t i = 0; i < STATUSES; i++)
    if (same(statuses[i][1], *new)) return true;
  return fail_with(TEXT(""), TEXT("the parameter unknown_status is "), quoted(*new),
    TEXT(", which is neither \"fail\" nor a status of 1.1"));
}

static bool change_status(text old, text *new) {
  for (size_t i = 0; i < STATUSES; i++)
    if (same(statuses[i][0], old)) return *new = statuses[i][1], true;
  return unknown_status(old, new);
}

// The next part of a location, up to a slash; false behind the last.
static bool next_part(text location, size_t *at, text *part) {
  if (*at > location.length) return false;
  size_t end = *at;
  while (end < location.length && location.at[end] != '/') end++;
  *part = (text){ location.at + *at, end - *at };
  *at = end + 1;
  return true;
}

static bool read_unit(text part, text location, uint32_t *unit) {
  size_t at = part.length > 1 && part.at[1] == '+' ? 2 : 1;
  bool is_number = part.length > at && part.at[0] == 'U';
  for (*unit = 0; is_number && at < part.length; at++) {
    uint32_t digit = (uint32_t)part.at[at] - '0';
    *unit = *unit * 10 + digit;
    is_number = digit <= 9 && *unit <= 65535;
  }
  return is_number || fail_with(TEXT("location"), TEXT(""), quoted(location), TEXT(" ends in no rack unit such as U7"));
}

// Where a device stands: in 1.0 the text `DC1/R12/U7`, with less of it where less is known.
static bool read_location(text location, text *json) {
  buffer out = { 0 };
  size_t at = 0;
  text part;
  uint32_t unit;
  next_part(location, &at, &part);
  put(&out, TEXT("{\"site\":"));
  put_string(&out, part);
  put(&out, TEXT(",\"rack\":"));
  if (next_part(location, &at, &part)) put_string(&out, part);
  else put(&out, TEXT("null"));
  put(&out, TEXT(",\"unit\":"));
  if (next_part(location, &at, &part)) {
    if (!read_unit(part, location, &unit)) return false;
    put_number(&out, unit);
  } else {
    put(&out, TEXT("null"));
  }
  put(&out, TEXT("}"));
  *json = written(&out);
  return !next_part(location, &at, &part)
    || fail_with(TEXT("location"), TEXT(""), quoted(location), TEXT(" has more parts than site/rack/unit"));
}

static bool device(record *record, bool *write) {
  (void)write;
  text status, json;
  option_text location;
  return rename_field(record, TEXT("hostname"), TEXT("name"))
    && insert_after(record, TEXT("name"), TEXT("kind"), TEXT("\"other\""))
    && get_text(record, TEXT("status"), &status)
    && change_status(status, &status)
    && set_text(record, TEXT("status"), status)
    && get_optional(record, TEXT("location"), &location)
    && (!location.some || (read_location(location.value, &json) && set_raw(record, TEXT("location"), json)));
}

// How many bytes of what Unicode calls white space a text begins with, at a place.
static size_t white_space(text in, size_t at) {
  static const text several[] = { TEXT("\xc2\x85"), TEXT("\u00a0"), TEXT("\u1680"), TEXT("\u2028"), TEXT("\u2029"),
    TEXT("\u202f"), TEXT("\u205f"), TEXT("\u3000"), TEXT("\u2000"), TEXT("\u2001"), TEXT("\u2002"), TEXT("\u2003"),
    TEXT("\u2004"), TEXT("\u2005"), TEXT("\u2006"), TEXT("\u2007"), TEXT("\u2008"), TEXT("\u2009"), TEXT("\u200a") };
  char c = in.at[at];
  if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
  for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
    size_t length = several[i].length;
    if (in.length - at >= length && same((text){ in.at + at, length }, several[i])) return length;
  }
  return 0;
}

static text trim_end(text of) {
  size_t end = 0;
  for (size_t at = 0; at < of.length;) {
    size_t space = white_space(of, at);
    at += space > 0 ? space : 1;
    if (space == 0) end = at;
  }
  return (text){ of.at, end };
}

static text trim(text of) {
  size_t start = 0;
  while (start < of.length && white_space(of, start) > 0) start += white_space(of, start);
  return trim_end((text){ of.at + start, of.length - start });
}

// The last word is the last name; a single word is a first name.
static void split_name(text full, text *first, option_text *last) {
  *first = trim(full);
  *last = NONE;
  for (size_t at = first->length; at-- > 0;) {
    if (first->at[at] != ' ') continue;
    *last = SOME(((text){ first->at + at + 1, first->length - at - 1 }));
    *first = trim_end((text){ first->at, at });
    return;
  }
}

static void put_optional(buffer *to, option_text value) {
  if (value.some) put_string(to, value.value);
  else put(to, TEXT("null"));
}

static void put_address(text id, option_text street, option_text city) {
  buffer *out = lines_of(TEXT("addresses"));
  put(out, TEXT("{\"id\":"));
  put(out, id);
  put(out, TEXT(",\"user_id\":"));
  put(out, id);
  put(out, TEXT(",\"street\":"));
  put_optional(out, street);
  put(out, TEXT(",\"city\":"));
  put_optional(out, city);
  put(out, TEXT("}\n"));
}

static bool user(record *record, bool *write) {
  text id, full_name, role, created_at, first_name;
  option_text last_name, email, street, city;
  bool is_read = get_integer(record, TEXT("id"), &id)
    && get_text(record, TEXT("full_name"), &full_name)
    && get_optional(record, TEXT("email"), &email)
    && get_text(record, TEXT("role"), &role)
    && get_optional(record, TEXT("street"), &street)
    && get_optional(record, TEXT("city"), &city)
    && get_text(record, TEXT("created_at"), &created_at);
  if (!is_read) return false;
  if (street.some || city.some) put_address(id, street, city);
  split_name(full_name, &first_name, &last_name);
  buffer *out = lines_of(TEXT("users"));
  put(out, TEXT("{\"id\":"));
  put(out, id);
  put(out, TEXT(",\"first_name\":"));
  put_string(out, first_name);
  put(out, TEXT(",\"last_name\":"));
  put_optional(out, last_name);
  put(out, TEXT(",\"email\":"));
  put_optional(out, email);
  put(out, TEXT(",\"role\":"));
  put_string(out, role);
  put(out, TEXT(",\"created_at\":"));
  put_string(out, created_at);
  put(out, TEXT("}\n"));
  *write = false; // that was it
  return true;
}

static bool drop(record *record, bool *write) {
  (void)record;
  *write = false;
  return true;
}

const step steps[] = {
  { TEXT("app_meta"), { true, TEXT("key") }, app_meta },
  { TEXT("devices"), { 0 }, device },
  { TEXT("users"), { 0 }, user },
  { TEXT("sessions"), { 0 }, drop },
};
const size_t steps_length = sizeof steps / sizeof *steps;
