// Memory, text, records, and the exports that the host calls.

#include "godwit.h"

// Memory: from behind the program's own data upwards, all given back after each call.

extern unsigned char __heap_base;
static size_t top;

enum { PAGE = 65536, ALIGNMENT = 8 };

void *take(size_t bytes) {
  if (top == 0) top = ((size_t)&__heap_base + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  size_t start = top, room = __builtin_wasm_memory_size(0) * (size_t)PAGE;
  if (bytes > SIZE_MAX - PAGE - start) __builtin_trap();
  top = (start + bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (top > room && __builtin_wasm_memory_grow(0, (top - room + PAGE - 1) / PAGE) == SIZE_MAX) __builtin_trap();
  return (void *)start;
}

// The host takes memory for what it hands over.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t length, size_t alignment, size_t wanted) {
  (void)alignment;
  void *new = take(wanted);
  if (length > 0) __builtin_memcpy(new, old, length < wanted ? length : wanted);
  return new;
}

// Text.

bool same(text a, text b) {
  if (a.length != b.length) return false;
  for (size_t i = 0; i < a.length; i++)
    if (a.at[i] != b.at[i]) return false;
  return true;
}

// A longer stretch moves: what was taken for the shorter one lies idle until the end of the call.
static char *grow(buffer *to, size_t more) {
  if (more > SIZE_MAX / 4 - to->length) __builtin_trap();
  if (to->capacity - to->length < more) {
    size_t capacity = (to->length + more) * 2 + 32;
    char *new = take(capacity);
    if (to->length > 0) __builtin_memcpy(new, to->at, to->length);
    to->at = new;
    to->capacity = capacity;
  }
  char *end = to->at + to->length;
  to->length += more;
  return end;
}

void put(buffer *to, text what) {
  char *end = grow(to, what.length);
  if (what.length > 0) __builtin_memcpy(end, what.at, what.length);
}

static void put_char(buffer *to, char c) { *grow(to, 1) = c; }

void put_number(buffer *to, uint32_t number) {
  if (number >= 10) put_number(to, number / 10);
  put_char(to, (char)('0' + number % 10));
}

void put_string(buffer *to, text what) {
  static const char letters[32] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
  static const char digits[] = "0123456789abcdef";
  put_char(to, '"');
  for (size_t i = 0; i < what.length; i++) {
    unsigned char c = (unsigned char)what.at[i];
    if (c >= 32 && c != '"' && c != '\\') {
      put_char(to, (char)c);
      continue;
    }
    put_char(to, '\\');
    if (c >= 32) put_char(to, (char)c);
    else if (letters[c]) put_char(to, letters[c]);
    else {
      put(to, TEXT("u00"));
      put_char(to, digits[c >> 4]);
      put_char(to, digits[c & 15]);
    }
  }
  put_char(to, '"');
}

text written(const buffer *from) { return (text){ from->at, from->length }; }

text quoted(text what) {
  buffer out = { 0 };
  put_string(&out, what);
  return written(&out);
}

// Failure.

static struct { bool is; text field, message; } cause;

bool fail(text field, text message) {
  if (!cause.is) {
    cause.is = true;
    cause.field = field;
    cause.message = message;
  }
  return false;
}

bool fail_with(text field, text before, text value, text after) {
  buffer message = { 0 };
  put(&message, before);
  put(&message, value);
  put(&message, after);
  return fail(field, written(&message));
}

static bool malformed(text problem) { return fail_with(TEXT(""), TEXT("is not a JSON object: "), problem, TEXT("")); }

// JSON: where each thing ends; 0, which no end is, where it does not.

static char byte(text line, size_t at) { return at < line.length ? line.at[at] : 0; }

static size_t space(text line, size_t at) {
  while (byte(line, at) == ' ' || byte(line, at) == '\t' || byte(line, at) == '\r') at++;
  return at;
}

static size_t string_end(text line, size_t at) {
  for (at++; at < line.length; at++) {
    if (line.at[at] == '"') return at + 1;
    if (line.at[at] == '\\') at++;
  }
  return 0;
}

static size_t nested_end(text line, size_t at) {
  for (size_t depth = 0; at < line.length; at++) {
    switch (line.at[at]) {
    case '"':
      at = string_end(line, at);
      if (at == 0) return 0;
      at--;
      break;
    case '{': case '[': depth++; break;
    case '}': case ']':
      if (--depth == 0) return at + 1;
    }
  }
  return 0;
}

static bool is_scalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

static size_t value_end(text line, size_t at) {
  char first = byte(line, at);
  if (first == '"') return string_end(line, at);
  if (first == '{' || first == '[') return nested_end(line, at);
  size_t end = at;
  while (is_scalar(byte(line, end))) end++;
  return end > at ? end : 0;
}

static text slice(text of, size_t start, size_t end) { return (text){ of.at + start, end - start }; }

static int hexadecimal(text in, size_t at) {
  int number = 0;
  for (size_t i = at; i < at + 4; i++) {
    char c = byte(in, i);
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  return number;
}

static void put_utf8(buffer *to, uint32_t c) {
  if (c < 0x80) return put_char(to, (char)c);
  if (c >= 0x10000) put_char(to, (char)(0xf0 | c >> 18));
  if (c >= 0x800) put_char(to, (char)((c >= 0x10000 ? 0x80 : 0xe0) | (c >> 12 & (c >= 0x10000 ? 0x3f : 0x0f))));
  put_char(to, (char)((c >= 0x800 ? 0x80 : 0xc0) | (c >> 6 & (c >= 0x800 ? 0x3f : 0x1f))));
  put_char(to, (char)(0x80 | (c & 0x3f)));
}

// The four digits behind `\u`, or eight of a pair; 0 where they are half of one.
static size_t put_unicode(buffer *to, text in, size_t at) {
  int high = hexadecimal(in, at);
  if (high < 0 || (high >= 0xdc00 && high <= 0xdfff)) return 0;
  if (high < 0xd800 || high > 0xdfff) return put_utf8(to, (uint32_t)high), at + 4;
  int low = byte(in, at + 4) == '\\' && byte(in, at + 5) == 'u' ? hexadecimal(in, at + 6) : -1;
  if (low < 0xdc00 || low > 0xdfff) return 0;
  put_utf8(to, 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
  return at + 10;
}

// The text that a JSON string stands for.
static bool unescape(text json, text *value) {
  text in = slice(json, 1, json.length - 1);
  buffer out = { 0 };
  size_t from = 0, at = 0;
  while (at < in.length) {
    if (in.at[at] != '\\') {
      at++;
      continue;
    }
    put(&out, slice(in, from, at));
    char c = byte(in, at + 1);
    at += 2;
    switch (c) {
    case '"': case '\\': case '/': put_char(&out, c); break;
    case 'b': put_char(&out, '\b'); break;
    case 'f': put_char(&out, '\f'); break;
    case 'n': put_char(&out, '\n'); break;
    case 'r': put_char(&out, '\r'); break;
    case 't': put_char(&out, '\t'); break;
    case 'u':
      at = put_unicode(&out, in, at);
      if (at > 0) break;
      // fall through
    default: return false;
    }
    from = at;
  }
  if (from == 0) {
    *value = in;
    return true;
  }
  put(&out, slice(in, from, in.length));
  *value = written(&out);
  return true;
}

// Records.

static void add_field(record *to, field found) {
  if (to->length == to->capacity) {
    size_t capacity = to->capacity * 2 + 16;
    field *fields = take(capacity * sizeof(field));
    if (to->length > 0) __builtin_memcpy(fields, to->fields, to->length * sizeof(field));
    to->fields = fields;
    to->capacity = capacity;
  }
  to->fields[to->length++] = found;
}

static size_t read_field(record *to, size_t at) {
  text line = to->line, name;
  if (byte(line, at) != '"') return malformed(TEXT("a field's name is missing"));
  size_t name_end = string_end(line, at);
  if (name_end == 0 || !unescape(slice(line, at, name_end), &name)) return malformed(TEXT("a string does not end, or has an unknown escape"));
  size_t colon = space(line, name_end);
  if (byte(line, colon) != ':') return malformed(TEXT("a colon is missing"));
  size_t start = space(line, colon + 1), end = value_end(line, start);
  if (end == 0) return malformed(TEXT("a value is missing or does not end"));
  add_field(to, (field){ name, slice(line, at, end), slice(line, start, end) });
  return end;
}

static bool open(record *to, text line) {
  to->line = line;
  to->length = 0;
  to->touched = false;
  size_t at = space(line, 0);
  if (byte(line, at) != '{') return malformed(TEXT("an opening brace is missing"));
  at = space(line, at + 1);
  if (byte(line, at) != '}') {
    for (;;) {
      size_t end = read_field(to, at);
      if (end == 0) return false;
      at = space(line, end);
      if (byte(line, at) == '}') break;
      if (byte(line, at) != ',') return malformed(TEXT("a comma or the closing brace is missing"));
      at = space(line, at + 1);
    }
  }
  return space(line, at + 1) == line.length || malformed(TEXT("something follows the object"));
}

static void write(const record *from, buffer *out) {
  if (!from->touched) {
    put(out, from->line);
  } else {
    for (size_t i = 0; i < from->length; i++) {
      put_char(out, i == 0 ? '{' : ',');
      put(out, from->fields[i].member);
    }
    if (from->length == 0) put_char(out, '{');
    put_char(out, '}');
  }
  put_char(out, '\n');
}

static field *look_for(const record *in, text name) {
  for (size_t i = 0; i < in->length; i++)
    if (same(in->fields[i].name, name)) return &in->fields[i];
  return NULL;
}

static field *find(const record *in, text name) {
  field *found = look_for(in, name);
  if (found == NULL) fail(name, TEXT("the record has no such field"));
  return found;
}

static bool mistyped(text name, text json, text expected) {
  return fail_with(name, TEXT("invalid type: "), json, expected);
}

bool get_raw(const record *from, text name, text *json) {
  field *found = find(from, name);
  if (found != NULL) *json = found->value;
  return found != NULL;
}

bool get_text(const record *from, text name, text *value) {
  text json;
  if (!get_raw(from, name, &json)) return false;
  if (json.at[0] != '"') return mistyped(name, json, TEXT(", expected a string"));
  return unescape(json, value) || fail(name, TEXT("has an unknown escape, or half a surrogate pair"));
}

bool get_optional(const record *from, text name, option_text *value) {
  text json;
  if (!get_raw(from, name, &json)) return false;
  value->some = !same(json, TEXT("null"));
  return !value->some || get_text(from, name, &value->value);
}

bool get_integer(const record *from, text name, text *digits) {
  if (!get_raw(from, name, digits)) return false;
  for (size_t i = digits->at[0] == '-'; i < digits->length; i++)
    if (digits->at[i] < '0' || digits->at[i] > '9') return mistyped(name, *digits, TEXT(", expected an integer"));
  return true;
}

static field member(text name, text json) {
  buffer out = { 0 };
  put_string(&out, name);
  put_char(&out, ':');
  put(&out, json);
  return (field){ name, written(&out), json };
}

static bool refuse_second(const record *in, text name) {
  return look_for(in, name) == NULL || fail(name, TEXT("the record already has a field of this name"));
}

bool rename_field(record *in, text old, text name) {
  field *found = find(in, old);
  if (found == NULL || !refuse_second(in, name)) return false;
  *found = member(name, found->value);
  return in->touched = true;
}

bool set_raw(record *in, text name, text json) {
  field *found = find(in, name);
  if (found == NULL) return false;
  *found = member(name, json);
  return in->touched = true;
}

bool set_text(record *in, text name, text value) { return set_raw(in, name, quoted(value)); }

bool insert_after(record *in, text other, text name, text json) {
  field *found = find(in, other);
  if (found == NULL || !refuse_second(in, name)) return false;
  size_t at = (size_t)(found - in->fields) + 1;
  add_field(in, member(name, json));
  field new = in->fields[in->length - 1];
  for (size_t i = in->length - 1; i > at; i--) in->fields[i] = in->fields[i - 1];
  in->fields[at] = new;
  return in->touched = true;
}

// Parameters.

__attribute__((import_module("godwit:migration/parameters@0.1.0"), import_name("get"))) void imported_get(const char *name, size_t length, option_text *value);

bool parameter(text name, text *value) {
  option_text json;
  imported_get(name.at, name.length, &json);
  if (!json.some) return fail_with(TEXT(""), TEXT("the parameter "), name, TEXT(" has no value; declare it in module.json, with a default or without"));
  bool is_text = json.value.length >= 2 && json.value.at[0] == '"';
  return (is_text && unescape(json.value, value)) || fail_with(TEXT(""), TEXT("the parameter "), name, TEXT(" is not text"));
}

// What the host calls.

typedef struct { text collection; uint64_t first; text records; } chunk;
typedef struct { text message; option_text collection; option_u64 record; option_text key, field; } failure;
typedef struct { bool failed; union { catalog catalog; struct { chunk *at; size_t length; } chunks; failure failure; } of; } result;

_Static_assert(sizeof(column) == 44 && sizeof(reference) == 40 && sizeof(collection) == 60 && sizeof(object) == 36, "as the component model has it");
_Static_assert(sizeof(chunk) == 24 && sizeof(failure) == 64 && offsetof(failure, record) == 24 && offsetof(result, of) == 8, "as the component model has it");

static result answer;

static option_text unless_empty(text value) { return (option_text){ value.length > 0, value }; }

static result *refuse(failure where) {
  where.message = cause.message;
  where.field = unless_empty(cause.field);
  answer = (result){ .failed = true, .of.failure = where };
  return &answer;
}

enum { OUTPUTS = 8 };
static struct { text collection; buffer lines; } outputs[OUTPUTS];
static size_t outputs_length;

buffer *lines_of(text collection) {
  for (size_t i = 0; i < outputs_length; i++)
    if (same(outputs[i].collection, collection)) return &outputs[i].lines;
  if (outputs_length == OUTPUTS) __builtin_trap();
  outputs[outputs_length].collection = collection;
  outputs[outputs_length].lines = (buffer){ 0 };
  return &outputs[outputs_length++].lines;
}

static const step *step_of(text collection) {
  for (size_t i = 0; i < steps_length; i++)
    if (same(steps[i].collection, collection)) return &steps[i];
  return NULL;
}

// What tells a record from others: the field named, else `id`, else the first one, of the line as it came.
static option_text key_of(text line, const step *step) {
  record of = { 0 };
  open(&of, line);
  field *found = look_for(&of, step->key.some ? step->key.value : TEXT("id"));
  if (found == NULL && of.length > 0 && !step->key.some) found = of.fields;
  return found == NULL ? NONE : SOME(found->value);
}

static bool run(const step *step, text records, uint64_t *number, text *line) {
  record current = { 0 };
  for (size_t start = 0; start < records.length; start += line->length + 1, ++*number) {
    size_t end = start;
    while (end < records.length && records.at[end] != '\n') end++;
    *line = slice(records, start, end);
    bool is_written = true;
    if (!open(&current, *line) || !step->transform(&current, &is_written)) return false;
    if (is_written) write(&current, lines_of(step->collection));
  }
  return true;
}

static result *filled(void) {
  chunk *chunks = take(OUTPUTS * sizeof(chunk));
  answer = (result){ .of.chunks = { chunks, 0 } };
  for (size_t i = 0; i < outputs_length; i++)
    if (outputs[i].lines.length > 0)
      chunks[answer.of.chunks.length++] = (chunk){ outputs[i].collection, 0, written(&outputs[i].lines) };
  return &answer;
}

__attribute__((export_name("transform"))) result *transform(const char *name, size_t name_length, uint64_t first, const char *lines, size_t lines_length) {
  (void)first;
  text collection = { name, name_length }, records = { lines, lines_length };
  outputs_length = 0;
  failure where = { .collection = SOME(collection) };
  const step *step = step_of(collection);
  if (step == NULL) {
    fail(TEXT(""), TEXT("the module has no step for this collection"));
    return refuse(where);
  }
  // Room for about as much as came in.
  grow(lines_of(collection), records.length + records.length / 4);
  lines_of(collection)->length = 0;
  uint64_t number = 0;
  text line = { 0 };
  if (run(step, records, &number, &line)) return filled();
  where.record = (option_u64){ true, number };
  where.key = key_of(line, step);
  return refuse(where);
}

__attribute__((export_name("evolve"))) result *evolve(const char *engine, size_t engine_length, collection *collections, size_t collections_length, object *objects, size_t objects_length) {
  catalog given = { { engine, engine_length }, { collections, collections_length }, { objects, objects_length } };
  if (!evolve_catalog(&given)) return refuse((failure){ 0 });
  answer = (result){ .of.catalog = given };
  return &answer;
}

__attribute__((export_name("finish"))) result *finish(void) {
  outputs_length = 0;
  return filled();
}

__attribute__((export_name("verify"))) result *verify(void) {
  answer = (result){ 0 };
  return &answer;
}

// The host has read the answer.
static void forget(void) {
  top = 0;
  cause.is = false;
}

__attribute__((export_name("cabi_post_transform"))) void post_transform(result *read) { (void)read, forget(); }
__attribute__((export_name("cabi_post_evolve"))) void post_evolve(result *read) { (void)read, forget(); }
__attribute__((export_name("cabi_post_finish"))) void post_finish(result *read) { (void)read, forget(); }
__attribute__((export_name("cabi_post_verify"))) void post_verify(result *read) { (void)read, forget(); }
