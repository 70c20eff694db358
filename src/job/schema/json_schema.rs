//! Generates the JSON Schema of job specs, for editors, from the table of keys.
//!
//! The schema is of draft 7, the latest that taplo and the editors' extensions for TOML support.

use serde_json::{Map, Value, json};

use super::{Key, KeyKind, ROOT, Values, instance_types};
use crate::model::duration;

const INSTANCE_TYPE: &str = "#/definitions/instance_type";

/// Returns the whole schema.
pub(crate) fn schema() -> Value {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "smtrain job spec",
        "description": "A training job on Amazon SageMaker, or on this computer",
    });
    let definitions = json!({ "instance_type": suggested(&instance_types::all()) });
    extend(&mut schema, table(ROOT));
    extend(&mut schema, json!({ "definitions": definitions }));
    schema
}

/// Returns the schema of a table with these keys and no others.
fn table(keys: &'static [Key]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required.is_some()).map(|key| key.name).collect();
    let mut table = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        extend(&mut table, json!({ "required": required }));
    }
    table
}

fn property(key: &'static Key) -> Value {
    let mut property = json!({ "description": key.about });
    extend(&mut property, value(key.kind));
    property
}

fn value(kind: KeyKind) -> Value {
    match kind {
        KeyKind::Text => json!({ "type": "string" }),
        KeyKind::InstanceType => json!({ "allOf": [{ "$ref": INSTANCE_TYPE }] }),
        KeyKind::Suggested(words) => suggested(&words()),
        KeyKind::Word(words) => json!({ "type": "string", "enum": words }),
        KeyKind::TextOrFalse => json!({ "anyOf": [{ "type": "string" }, { "const": false }] }),
        KeyKind::Boolean => json!({ "type": "boolean" }),
        KeyKind::Integer(least, most) => integer(least, most),
        KeyKind::Duration(least, most) => {
            json!({ "anyOf": [{ "type": "string", "pattern": duration::PATTERN }, seconds(least, most)] })
        }
        KeyKind::Texts(most) => list(most, &json!({ "type": "string" })),
        KeyKind::Section(keys) => table(keys),
        KeyKind::Sections(most, keys) => list(most, &table(keys)),
        KeyKind::Named(most, keys) => map(most, &json!({ "anyOf": [{ "type": "string" }, table(keys)] })),
        KeyKind::Map(most, values) => map(most, &free(values)),
    }
}

/// Returns the schema of a text for which an editor suggests the words; others are valid too.
fn suggested(words: &[String]) -> Value {
    json!({ "anyOf": [{ "enum": words }, { "type": "string" }] })
}

fn integer(least: i64, most: i64) -> Value {
    let mut integer = json!({ "type": "integer" });
    if least > i64::MIN {
        extend(&mut integer, json!({ "minimum": least }));
    }
    if most < i64::MAX {
        extend(&mut integer, json!({ "maximum": most }));
    }
    integer
}

fn seconds(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

fn list(most: usize, items: &Value) -> Value {
    let mut list = json!({ "type": "array", "items": items });
    if most < usize::MAX {
        extend(&mut list, json!({ "maxItems": most }));
    }
    list
}

/// Returns the schema of a table with arbitrary keys.
fn map(most: usize, values: &Value) -> Value {
    let mut map = json!({ "type": "object", "additionalProperties": values });
    if most < usize::MAX {
        extend(&mut map, json!({ "maxProperties": most }));
    }
    map
}

fn free(values: Values) -> Value {
    match values {
        Values::Text => json!({ "type": "string" }),
        Values::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Values::Any => json!({ "type": ["string", "number", "boolean", "array", "object"] }),
    }
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
