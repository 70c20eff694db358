//! Parses YAML into a tree with places, as PyYAML's safe loader does.
//!
//! Tables keep duplicate keys and merge keys (`<<`) until [`flattened`] resolves them. Aliases are expanded; the size
//! of the tree is limited, because a few aliases of aliases could fill the memory.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::nesting::MAX_DEPTH;
use super::toml::nested_too_deeply;
use super::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::job::diagnostics::problem::{Location, Problem};

/// Limit of the nodes and bytes of the whole tree. A text of 1 MiB without aliases has at most half as many.
const MAX_WEIGHT: usize = 4 << 20;
const MERGE_KEY: &str = "<<";

/// Booleans and nulls of YAML 1.1, which PyYAML implements.
const TRUE: [&str; 9] = ["yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const FALSE: [&str; 9] = ["no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];

/// Parses a text whose root is a mapping; an empty text is an empty mapping. Errors at the first problem.
pub(crate) fn document(text: &str) -> Result<TreeTable, Problem> {
    let mut build = TreeBuilder {
        parser: Parser::new_from_str(text),
        places: ByteOffsets::of(text),
        anchors: HashMap::new(),
        weight: 0,
    };
    match build.root()? {
        None => Ok(TreeTable::default()),
        Some(TreeNode { value: Value::Table(table), .. }) => Ok(table),
        Some(node) => {
            let message = format!("this file is {}, and should be a mapping", node.value.kind());
            Err(Problem::error(message).at(&node.place))
        }
    }
}

/// Resolves a table's merge keys, and keeps the last of duplicate keys, as PyYAML does.
pub(crate) fn flattened(table: &TreeTable) -> TreeTable {
    let mut entries = Vec::new();
    collect(table, &mut entries);
    let mut index_of = HashMap::new();
    let mut flat = TreeTable::default();
    for entry in entries {
        let index = *index_of.entry(entry.key.as_str()).or_insert(flat.entries.len());
        match flat.entries.get_mut(index) {
            Some(earlier) => *earlier = entry.clone(),
            None => flat.entries.push(entry.clone()),
        }
    }
    flat
}

/// Collects the entries of a table: first those of merged tables, in reverse, then its own. Later entries take
/// precedence, so that the first of several merged tables wins.
fn collect<'t>(table: &'t TreeTable, into: &mut Vec<&'t KeyValue>) {
    for merged in table.entries.iter().filter(|entry| entry.key == MERGE_KEY) {
        match &merged.node.value {
            Value::Table(table) => collect(table, into),
            Value::Array(items) => items.iter().rev().for_each(|item| {
                if let Value::Table(table) = &item.value {
                    collect(table, into);
                }
            }),
            _ => {}
        }
    }
    into.extend(table.entries.iter().filter(|entry| entry.key != MERGE_KEY));
}

/// Converts the parser's marks, which count characters, to bytes.
struct ByteOffsets {
    /// The byte at which each character starts; empty for an ASCII text.
    bytes: Vec<usize>,
    end: usize,
}

impl ByteOffsets {
    fn of(text: &str) -> Self {
        let bytes = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Self { bytes, end: text.len() }
    }

    fn byte(&self, mark: Marker) -> usize {
        let byte = if self.bytes.is_empty() { Some(mark.index()) } else { self.bytes.get(mark.index()).copied() };
        byte.unwrap_or(self.end).min(self.end)
    }

    fn of_span(&self, span: Span) -> Location {
        let start = self.byte(span.start);
        Location { source: 0, bytes: start..self.byte(span.end).max(start) }
    }
}

/// Builds the tree from the parser's events.
struct TreeBuilder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    places: ByteOffsets,
    /// The node and the weight of each anchor.
    anchors: HashMap<usize, (Option<TreeNode>, usize)>,
    weight: usize,
}

impl<'t> TreeBuilder<'t> {
    fn root(&mut self) -> Result<Option<TreeNode>, Problem> {
        let mut root = None;
        let mut documents = 0;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if documents == 1 => {
                    return Err(Problem::error("there is more than one document in this file").at(&place));
                }
                Event::DocumentStart(_) => {
                    documents += 1;
                    root = self.next_node(0)?;
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Location), Problem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.places.of_span(span))),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, Location { source: 0, bytes: self.places.end..self.places.end })),
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Problem {
        let at = self.places.byte(*error.marker());
        Problem::error(format!("invalid YAML: {}", error.info())).at(&Location { source: 0, bytes: at..at })
    }

    fn next_node(&mut self, depth: usize) -> Result<Option<TreeNode>, Problem> {
        let (event, place) = self.next()?;
        self.node(event, place, depth)
    }

    /// Builds the node of an event; `None` for null: a key without a value counts as not written.
    fn node(&mut self, event: Event<'t>, place: Location, depth: usize) -> Result<Option<TreeNode>, Problem> {
        if depth > MAX_DEPTH {
            return Err(nested_too_deeply(&place));
        }
        let before = self.weight;
        self.weigh(1, &place)?;
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, &place),
            Event::Scalar(text, style, anchor, _) => {
                self.weigh(text.len(), &place)?;
                (anchor, scalar(&text, style))
            }
            Event::SequenceStart(anchor, _) => (anchor, Some((Value::Array(self.sequence(depth)?), None))),
            Event::MappingStart(anchor, _) => (anchor, Some((Value::Table(self.mapping(depth)?), None))),
            _ => (0, None),
        };
        let node = value.map(|(value, typed)| TreeNode { value, place: place.clone(), typed, written: None });
        if anchor > 0 {
            let weight = self.weight - before;
            self.weigh(weight, &place)?;
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, place: &Location) -> Result<Option<TreeNode>, Problem> {
        let Some((node, weight)) = self.anchors.get(&anchor) else {
            return Err(Problem::error("this alias is inside the node that it refers to").at(place));
        };
        let node = node.clone();
        let weight = *weight;
        self.weigh(weight, place)?;
        Ok(node)
    }

    /// Adds to the tree's weight. Errors past the limit.
    fn weigh(&mut self, weight: usize, place: &Location) -> Result<(), Problem> {
        self.weight += weight;
        if self.weight > MAX_WEIGHT {
            return Err(Problem::error("the aliases up to here make this file too large").at(place));
        }
        Ok(())
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<TreeNode>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(items),
                (event, place) => items.extend(self.node(event, place, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<TreeTable, Problem> {
        let mut table = TreeTable::default();
        loop {
            let (event, key_place) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                return Ok(table);
            }
            let key = self.node(event, key_place.clone(), depth + 1)?;
            let value = self.next_node(depth + 1)?;
            // Entries whose key is a list or a mapping are dropped: no setting has such a key.
            let key = key.and_then(|key| key.text().map(str::to_owned));
            let entry = key.zip(value).map(|(key, node)| KeyValue { key, key_place, node });
            table.entries.extend(entry);
        }
    }
}

/// Returns a scalar's value, and its text if it is a boolean; `None` for null. Numbers stay text: no setting is a
/// number.
fn scalar(text: &str, style: ScalarStyle) -> Option<(Value, Option<String>)> {
    let string = Some((Value::String(text.to_owned()), None));
    if style != ScalarStyle::Plain {
        return string;
    }
    if NULL.contains(&text) {
        return None;
    }
    let boolean = if TRUE.contains(&text) { Some(true) } else { FALSE.contains(&text).then_some(false) };
    boolean.map(|boolean| (Value::Boolean(boolean), Some(text.to_owned()))).or(string)
}
