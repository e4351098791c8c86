// The contract of Godwit for a module in C: the types of `wit/migration.wit` as the component model lays them
// out in memory, records, and changes of the catalog.
//
// There is no libc here, and so nothing of WASI. Memory is taken and never given back: all of it is free again
// after each call of the host. Text has a length and no zero at its end.
//
// A record is edited as it stands in its line. What is not touched passes byte for byte, unread.
#ifndef GODWIT_H
#define GODWIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { const char *at; size_t length; } text;
#define TEXT(literal) ((text){ (literal), sizeof(literal) - 1 })

typedef struct { bool some; text value; } option_text;
typedef struct { bool some; uint64_t value; } option_u64;
typedef struct { text *at; size_t length; } texts;
#define SOME(of) ((option_text){ true, (of) })
#define NONE ((option_text){ false, { 0, 0 } })

// The catalog.

enum kind {
  KIND_BOOLEAN, KIND_INT16, KIND_INT32, KIND_INT64, KIND_FLOAT32, KIND_FLOAT64, KIND_DECIMAL, KIND_TEXT, KIND_BYTES,
  KIND_DATE, KIND_TIME, KIND_TIMESTAMP, KIND_TIMESTAMPTZ, KIND_INTERVAL, KIND_UUID, KIND_JSON, KIND_ANY, KIND_NATIVE,
};
enum default_tag { DEFAULT_VALUE, DEFAULT_EXPRESSION };

typedef struct { bool some; struct { uint8_t tag; text of; } value; } option_default;
typedef struct {
  text name;
  uint8_t kind;
  bool array, nullable;
  option_default default_value;
  option_text native_type;
  bool generated;
} column;
typedef struct { texts columns; text collection; texts foreign_columns; text on_update, on_delete; } reference;
typedef struct { column *at; size_t length; } columns;
typedef struct {
  text name;
  columns columns;
  texts primary_key;
  struct { texts *at; size_t length; } unique;
  struct { reference *at; size_t length; } references;
  option_text definition;
  texts options;
} collection;
typedef struct { text kind, name; option_text collection; text definition; } object;
typedef struct {
  text engine;
  struct { collection *at; size_t length; } collections;
  struct { object *at; size_t length; } objects;
} catalog;

// Records.

typedef struct { text name, member, value; } field; // member and value are JSON text

typedef struct { text line; field *fields; size_t length, capacity; bool touched; } record;

// Bytes that grow.
typedef struct { char *at; size_t length, capacity; } buffer;

// Says why the module cannot go on, and answers `false`, as every function does that has failed.
bool fail(text field, text message);
bool fail_with(text field, text before, text value, text after);
void *take(size_t bytes);
void put(buffer *to, text what);
void put_number(buffer *to, uint32_t number);
void put_string(buffer *to, text what); // as JSON writes it
text written(const buffer *from);
text quoted(text what);
bool same(text a, text b);
bool parameter(text name, text *value); // one that must be text

bool get_raw(const record *from, text name, text *json);
bool get_text(const record *from, text name, text *value);
bool get_optional(const record *from, text name, option_text *value);
bool get_integer(const record *from, text name, text *digits);
bool rename_field(record *in, text old, text name);
bool set_raw(record *in, text name, text json);
bool set_text(record *in, text name, text value);
bool insert_after(record *in, text other, text name, text json);

// Changes of the catalog. A collection that is asked for is one that changes: the host writes its definition.

collection *change(catalog *in, text name);
column *find_column(collection *in, text name);
bool rename_column(catalog *in, collection *of, text old, text name);
bool replace_column(collection *in, text name, const column *with, size_t count);
bool create_collection(catalog *in, collection made);
bool drop_collection(catalog *in, text name);
bool add_index(catalog *in, text name, text of, text definition);
bool replace_object(catalog *in, text name, text definition);
bool drop_object(catalog *in, text name);

// What the module is made of.

// One collection's records: `transform` changes a record; `write` says whether it is to be written.
typedef struct {
  text collection;
  option_text key; // the field that names a record in messages
  bool (*transform)(record *record, bool *write);
} step;

extern const step steps[];
extern const size_t steps_length;

// Lines of a collection that the chunk is not of.
buffer *lines_of(text collection);

bool evolve_catalog(catalog *in);

#endif
