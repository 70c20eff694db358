//! The CreateTrainingJob request as it is sent: a JSON document that may have more fields than the types.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::JobName;
use super::request::CreateTrainingJobRequest;

/// The request as it is sent: the typed fields, with the spec's `[request]` merged over them at every depth, so that a
/// field which these types don't know yet still goes out as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RequestDocument(Value);

impl RequestDocument {
    /// Merges `patch` over the typed request: tables key by key at every depth, everything else is replaced.
    pub(crate) fn new(typed: &CreateTrainingJobRequest, patch: Map<String, Value>) -> serde_json::Result<Self> {
        let mut document = serde_json::to_value(typed)?;
        merge(&mut document, Value::Object(patch));
        Ok(Self(document))
    }

    /// Returns the fields of the document that the types have.
    pub(crate) fn typed(&self) -> serde_json::Result<CreateTrainingJobRequest> {
        CreateTrainingJobRequest::deserialize(&self.0)
    }

    /// Returns the request with every occurrence of one job name replaced by another.
    pub(crate) fn renamed(&self, from: &JobName, to: &JobName) -> Self {
        let mut document = self.0.clone();
        replace_text(&mut document, from.as_str(), to.as_str());
        Self(document)
    }

    pub(crate) fn document(&self) -> &Value {
        &self.0
    }
}

fn replace_text(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_text(item, from, to)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace_text(field, from, to)),
        _ => {}
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
