// Changes of the catalog.

#include "godwit.h"

// A copy of an array in which `in` items are to be filled in for `out` items from `at` on.
static void *splice(const void *old, size_t item, size_t length, size_t at, size_t out, size_t in) {
  char *new = take((length - out + in) * item);
  const char *from = old;
  __builtin_memcpy(new, from, at * item);
  __builtin_memcpy(new + (at + in) * item, from + (at + out) * item, (length - at - out) * item);
  return new;
}

#define SPLICE(list, at_, out, in) \
  ((list).at = splice((list).at, sizeof *(list).at, (list).length, (at_), (out), (in)), (list).length += (in) - (out))

// The place of a name among so many; that number where it is none, which is an error.
#define PLACE(what, wanted, list) ({ \
  size_t place_ = 0; \
  while (place_ < (list).length && !same((list).at[place_].name, (wanted))) place_++; \
  if (place_ == (list).length) fail_with(TEXT(""), TEXT("there is no " what " "), (wanted), TEXT("")); \
  place_; \
})

collection *change(catalog *in, text name) {
  size_t at = PLACE("collection", name, in->collections);
  if (at == in->collections.length) return NULL;
  in->collections.at[at].definition = NONE;
  return &in->collections.at[at];
}

column *find_column(collection *in, text name) {
  size_t at = PLACE("column", name, in->columns);
  return at == in->columns.length ? NULL : &in->columns.at[at];
}

static bool replace(texts *names, text old, text name) {
  bool found = false;
  for (size_t i = 0; i < names->length; i++) {
    if (!same(names->at[i], old)) continue;
    names->at[i] = name;
    found = true;
  }
  return found;
}

// Keys and the references of all collections follow.
bool rename_column(catalog *in, collection *of, text old, text name) {
  column *found = find_column(of, old);
  if (found == NULL) return false;
  found->name = name;
  replace(&of->primary_key, old, name);
  for (size_t i = 0; i < of->unique.length; i++) replace(&of->unique.at[i], old, name);
  for (size_t i = 0; i < of->references.length; i++) replace(&of->references.at[i].columns, old, name);
  for (size_t i = 0; i < in->collections.length; i++) {
    collection *other = &in->collections.at[i];
    for (size_t j = 0; j < other->references.length; j++) {
      reference *one = &other->references.at[j];
      if (same(one->collection, of->name) && replace(&one->foreign_columns, old, name)) other->definition = NONE;
    }
  }
  return true;
}

bool replace_column(collection *in, text name, const column *with, size_t count) {
  size_t at = PLACE("column", name, in->columns);
  if (at == in->columns.length) return false;
  SPLICE(in->columns, at, 1, count);
  for (size_t i = 0; i < count; i++) in->columns.at[at + i] = with[i];
  return true;
}

bool create_collection(catalog *in, collection made) {
  SPLICE(in->collections, in->collections.length, 0, 1);
  in->collections.at[in->collections.length - 1] = made;
  return true;
}

static bool goes_with(const object *one, text collection) {
  bool belongs = one->collection.some && same(one->collection.value, collection);
  return belongs && (same(one->kind, TEXT("index")) || same(one->kind, TEXT("trigger")));
}

// Its indexes and triggers go with it.
bool drop_collection(catalog *in, text name) {
  size_t at = PLACE("collection", name, in->collections);
  if (at == in->collections.length) return false;
  SPLICE(in->collections, at, 1, 0);
  for (size_t i = in->objects.length; i-- > 0;)
    if (goes_with(&in->objects.at[i], name)) SPLICE(in->objects, i, 1, 0);
  return true;
}

bool add_index(catalog *in, text name, text of, text definition) {
  SPLICE(in->objects, in->objects.length, 0, 1);
  in->objects.at[in->objects.length - 1] = (object){ TEXT("index"), name, SOME(of), definition };
  return true;
}

bool replace_object(catalog *in, text name, text definition) {
  size_t at = PLACE("object", name, in->objects);
  if (at == in->objects.length) return false;
  in->objects.at[at].definition = definition;
  return true;
}

bool drop_object(catalog *in, text name) {
  size_t at = PLACE("object", name, in->objects);
  if (at == in->objects.length) return false;
  SPLICE(in->objects, at, 1, 0);
  return true;
}
