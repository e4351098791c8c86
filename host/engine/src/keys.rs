//! Whether keys are unique and references lead somewhere, for any number of records.
//!
//! Each key that a record has, and each key that it refers to, becomes a [`Claim`]; claims are sorted on
//! disk in runs and merged once at the end, so memory stays flat. Equal keys then lie side by side:
//! two that have it are a duplicate, one that wants it with none that has it dangles.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use godwit_model::records::{Fields, excerpt, positions};
use godwit_model::{Catalog, Collection, CollectionId, Digest, Fault};
use godwit_sandbox::tame_line;

use crate::chain::Chain;
use crate::report::Violation;

/// Claims kept in memory before a run is written.
const CLAIMS_IN_MEMORY: usize = 1 << 19;

/// The rule that a reference breaks which leads nowhere.
pub(crate) const DANGLING: &str = "dangling reference";

/// Bytes of a key that are kept for messages.
const KEY_EXCERPT: usize = 64;

/// Which keys of which collections must be looked at.
pub(crate) struct KeyRules {
    sets: Vec<KeySet>,
    collections: BTreeMap<CollectionId, Vec<Rule>>,
}

/// A set of keys: unique within, and referred to.
struct KeySet {
    collection: CollectionId,
    columns: Vec<String>,
    unique: bool,
}

struct Rule {
    set: u32,
    has: bool,
    columns: Vec<usize>,
}

/// One key that a record has or wants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    set: u32,
    hash: [u8; 16],
    /// Those that have a key sort before those that want it.
    wants: bool,
    collection: u32,
    key: Box<[u8]>,
}

impl KeyRules {
    /// No rules: what is only looked at is not judged.
    pub(crate) fn none() -> Self {
        Self { sets: vec![], collections: BTreeMap::new() }
    }

    /// The rules that a chain may break: keys of what it makes, and references from and to that.
    pub(crate) fn of(chain: &Chain) -> Self {
        let mut rules = Self::none();
        let dropped = chain.dropped();
        for (id, collection) in chain.after.collections().filter(|(_, collection)| !collection.internal) {
            let made = chain.gives(&id);
            if made {
                rules.add_unique_keys(&id, collection);
            }
            for reference in &collection.references {
                let parent = CollectionId { database: id.database.clone(), name: reference.collection.clone() };
                if made || chain.gives(&parent) || dropped.contains(&parent) {
                    rules.add_reference(
                        &chain.after,
                        &id,
                        collection,
                        &parent,
                        &reference.columns,
                        &reference.foreign_columns,
                    );
                }
            }
        }
        rules
    }

    fn add_unique_keys(&mut self, id: &CollectionId, collection: &Collection) {
        let keys = collection.unique.iter().chain([&collection.primary_key]);
        for key in keys.filter(|key| !key.is_empty()) {
            self.has(id, collection, key, true);
        }
    }

    fn add_reference(
        &mut self,
        catalog: &Catalog,
        id: &CollectionId,
        collection: &Collection,
        parent: &CollectionId,
        columns: &[String],
        foreign: &[String],
    ) {
        let set = match catalog.collection(parent) {
            Some(referred) => self.has(parent, referred, foreign, false),
            None => self.set_of(parent, foreign),
        };
        if let (Some(set), Some(columns)) = (set, positions(collection, columns)) {
            self.collections.entry(id.clone()).or_default().push(Rule { set, has: false, columns });
        }
    }

    fn has(&mut self, id: &CollectionId, collection: &Collection, key: &[String], unique: bool) -> Option<u32> {
        let columns = positions(collection, key)?;
        let set = self.set_of(id, key)?;
        self.sets[set as usize].unique |= unique;
        let rules = self.collections.entry(id.clone()).or_default();
        if !rules.iter().any(|rule| rule.has && rule.set == set) {
            rules.push(Rule { set, has: true, columns });
        }
        Some(set)
    }

    fn set_of(&mut self, id: &CollectionId, columns: &[String]) -> Option<u32> {
        let known = self.sets.iter().position(|set| set.collection == *id && set.columns == columns);
        let index = known.unwrap_or_else(|| {
            self.sets.push(KeySet { collection: id.clone(), columns: columns.to_vec(), unique: false });
            self.sets.len() - 1
        });
        u32::try_from(index).ok()
    }

    /// What must be looked at in one collection's records, if anything.
    pub(crate) fn lens(&self, collection: &CollectionId) -> Option<Lens<'_>> {
        let (index, (_, rules)) = self.collections.iter().enumerate().find(|(_, (id, _))| *id == collection)?;
        Some(Lens { collection: u32::try_from(index).ok()?, rules })
    }

    fn violation(&self, claim: &Claim, count: u64) -> Violation {
        let set = &self.sets[claim.set as usize];
        let collection = self.collections.keys().nth(claim.collection as usize).unwrap_or(&set.collection);
        let key = tame_line(&excerpt(&claim.key));
        let columns = set.columns.join(", ");
        let (rule, problem) = if claim.wants {
            let who = if count == 1 { "one record refers".to_owned() } else { format!("{count} records refer") };
            (DANGLING, format!("{who} to {} ({columns}) = {key}, which no record has", set.collection))
        } else {
            ("duplicate key", format!("{count} records have the same key ({columns}) = {key}"))
        };
        Violation { rule, collection: collection.to_string(), problem }
    }
}

/// The rules of one collection.
pub(crate) struct Lens<'a> {
    collection: u32,
    rules: &'a [Rule],
}

impl Lens<'_> {
    /// Takes the claims of one record; a key with a NULL claims nothing.
    pub(crate) fn collect(&self, fields: &Fields<'_>, claims: &mut Vec<Claim>) {
        for rule in self.rules {
            if rule.columns.iter().any(|&column| fields.get(column) == b"null") {
                continue;
            }
            let key = fields.key(&rule.columns);
            claims.push(Claim {
                set: rule.set,
                hash: short_hash(&key),
                wants: !rule.has,
                collection: self.collection,
                key: key[..key.len().min(KEY_EXCERPT)].into(),
            });
        }
    }
}

fn short_hash(key: &[u8]) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&Digest::of(key).as_bytes()[..16]);
    hash
}

/// Sorts claims and judges them.
pub(crate) struct KeyJudge {
    memory: Vec<Claim>,
    runs: Vec<File>,
}

impl KeyJudge {
    pub(crate) fn new() -> Self {
        Self { memory: vec![], runs: vec![] }
    }

    /// Takes claims in.
    pub(crate) fn add(&mut self, claims: Vec<Claim>) -> Result<(), Fault> {
        self.memory.extend(claims);
        if self.memory.len() >= CLAIMS_IN_MEMORY {
            self.spill().map_err(|error| {
                Fault::system(format!("keys cannot be written to a temporary file: {error}; make room, or set TMPDIR"))
            })?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.memory.sort_unstable();
        let mut file = tempfile::tempfile()?;
        let mut writer = BufWriter::new(&mut file);
        for claim in self.memory.drain(..) {
            write_claim(&mut writer, &claim)?;
        }
        writer.flush()?;
        drop(writer);
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// Judges all claims and says each violation.
    pub(crate) fn judge(mut self, rules: &KeyRules, say: &mut dyn FnMut(Violation)) -> Result<(), Fault> {
        self.memory.sort_unstable();
        let unreadable =
            |error: io::Error| Fault::system(format!("keys cannot be read back from a temporary file: {error}"));
        let mut merge = Merge::open(self.runs, self.memory).map_err(unreadable)?;
        let mut group = Group::default();
        while let Some(claim) = merge.next().map_err(unreadable)? {
            if !group.holds(&claim) {
                std::mem::take(&mut group).judge(rules, say);
            }
            group.add(claim);
        }
        group.judge(rules, say);
        Ok(())
    }
}

/// All claims of one key.
#[derive(Default)]
struct Group {
    has: Option<Claim>,
    has_count: u64,
    wants: Vec<(Claim, u64)>,
}

impl Group {
    fn holds(&self, claim: &Claim) -> bool {
        let first = self.has.as_ref().or_else(|| self.wants.first().map(|(first, _)| first));
        first.is_none_or(|first| first.set == claim.set && first.hash == claim.hash)
    }

    fn add(&mut self, claim: Claim) {
        if !claim.wants {
            self.has_count += 1;
            self.has.get_or_insert(claim);
        } else if let Some((_, count)) = self.wants.iter_mut().find(|(other, _)| other.collection == claim.collection) {
            *count += 1;
        } else {
            self.wants.push((claim, 1));
        }
    }

    fn judge(self, rules: &KeyRules, say: &mut dyn FnMut(Violation)) {
        match self.has {
            Some(claim) if self.has_count > 1 && rules.sets[claim.set as usize].unique => {
                say(rules.violation(&claim, self.has_count));
            }
            Some(_) => {}
            None => self.wants.iter().for_each(|(claim, count)| say(rules.violation(claim, *count))),
        }
    }
}

/// Merges sorted runs and the claims still in memory.
struct Merge {
    runs: Vec<BufReader<File>>,
    memory: std::vec::IntoIter<Claim>,
    heap: BinaryHeap<Reverse<(Claim, usize)>>,
}

impl Merge {
    fn open(files: Vec<File>, memory: Vec<Claim>) -> io::Result<Self> {
        let runs: Vec<_> = files.into_iter().map(BufReader::new).collect();
        let mut merge = Self { runs, memory: memory.into_iter(), heap: BinaryHeap::new() };
        for run in 0..=merge.runs.len() {
            merge.refill(run)?;
        }
        Ok(merge)
    }

    fn refill(&mut self, run: usize) -> io::Result<()> {
        let claim = match self.runs.get_mut(run) {
            Some(reader) => read_claim(reader)?,
            None => self.memory.next(),
        };
        self.heap.extend(claim.map(|claim| Reverse((claim, run))));
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<Claim>> {
        let Some(Reverse((claim, run))) = self.heap.pop() else { return Ok(None) };
        self.refill(run)?;
        Ok(Some(claim))
    }
}

fn write_claim(out: &mut impl Write, claim: &Claim) -> io::Result<()> {
    out.write_all(&[u8::try_from(claim.key.len()).unwrap_or(u8::MAX), u8::from(claim.wants)])?;
    out.write_all(&claim.set.to_le_bytes())?;
    out.write_all(&claim.collection.to_le_bytes())?;
    out.write_all(&claim.hash)?;
    out.write_all(&claim.key)
}

fn read_claim(input: &mut impl Read) -> io::Result<Option<Claim>> {
    let mut head = [0; 26];
    if input.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut head[1..])?;
    let mut key = vec![0; usize::from(head[0])];
    input.read_exact(&mut key)?;
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let mut hash = [0; 16];
    hash.copy_from_slice(&head[10..]);
    Ok(Some(Claim { set: number(2), hash, wants: head[1] == 1, collection: number(6), key: key.into() }))
}

#[cfg(test)]
mod tests {
    use godwit_model::{CollectionName, DatabaseName};

    use super::*;
    use crate::report::Report;

    fn rules() -> KeyRules {
        let id = |name: &str| CollectionId {
            database: DatabaseName::new("main").unwrap(),
            name: CollectionName::new(name).unwrap(),
        };
        let set = KeySet { collection: id("devices"), columns: vec!["id".into()], unique: true };
        let rule = |has| Rule { set: 0, has, columns: vec![0] };
        let collections = BTreeMap::from([(id("devices"), vec![rule(true)]), (id("links"), vec![rule(false)])]);
        KeyRules { sets: vec![set], collections }
    }

    fn claim(key: u64, wants: bool) -> Claim {
        let text = format!("[{key}]").into_bytes();
        Claim { set: 0, hash: short_hash(&text), wants, collection: u32::from(wants), key: text.into() }
    }

    fn judge(claims: impl IntoIterator<Item = Claim>, spill_every: usize) -> Vec<String> {
        let mut judge = KeyJudge::new();
        for (i, claim) in claims.into_iter().enumerate() {
            judge.add(vec![claim]).unwrap();
            if i % spill_every == spill_every - 1 {
                judge.spill().unwrap();
            }
        }
        let mut report = Report::default();
        judge.judge(&rules(), &mut |violation| report.violation(violation)).unwrap();
        report.violations.into_iter().map(|v| format!("{}: {}: {}", v.rule, v.collection, v.problem)).collect()
    }

    #[test]
    fn duplicates_and_dangling_references_are_found_across_runs() {
        for spill_every in [1, 7, 10_000] {
            let keys = (0..1000).map(|key| claim(key, false));
            let wanted = (0..1000).map(|key| claim(key, true));
            assert_eq!(judge(keys.clone().chain(wanted), spill_every), Vec::<String>::new());

            let wrong = [claim(500, false), claim(2000, true), claim(2000, true)];
            assert_eq!(judge(wrong.into_iter().chain(keys), spill_every).len(), 2);
        }
    }

    #[test]
    fn messages_name_key_and_collection() {
        let found = judge([claim(5, false), claim(5, false), claim(6, true)], 2);
        assert!(
            found.contains(&"duplicate key: main.devices: 2 records have the same key (id) = [5]".to_owned()),
            "{found:?}"
        );
        let dangling =
            "dangling reference: main.links: one record refers to main.devices (id) = [6], which no record has";
        assert!(found.contains(&dangling.to_owned()), "{found:?}");
    }
}
