//! Output of a dry run: the request, with notes on its placeholders and hidden values.

use serde_json::Value;

use crate::cloud::placeholder::{ACCOUNT, REGION, ROLE_PATH};

/// A request without secrets, and the notes on it.
pub(crate) struct DryRun {
    document: Value,
    notes: Vec<String>,
}

impl DryRun {
    pub(crate) fn of(request: &Value) -> Self {
        let mut document = request.clone();
        let mut notes = placeholders(request);
        let hidden = super::hide_secrets(&mut document);
        notes.extend(
            hidden.iter().map(|name| format!("hidden: {name} looks like a secret; it would be sent as written")),
        );
        Self { document, notes }
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Returns a note for each placeholder in the request: its meaning and its fields.
fn placeholders(request: &Value) -> Vec<String> {
    let meanings = [
        (ACCOUNT, "the account's number"),
        (ROLE_PATH, "the role's path"),
        (REGION, "the region: give --region or set AWS_REGION"),
    ];
    let mut notes: Vec<String> = meanings
        .iter()
        .filter_map(|(placeholder, meaning)| {
            let fields = fields_with(placeholder, request);
            (!fields.is_empty()).then(|| format!("placeholder: {placeholder} in {}: {meaning}", fields.join(", ")))
        })
        .collect();
    let image = request.pointer("/AlgorithmSpecification/TrainingImage").and_then(Value::as_str);
    if let Some(image) = image.filter(|image| image.starts_with('<') && !image.starts_with(REGION)) {
        notes.push(format!("placeholder: TrainingImage {image}, since a local job runs in no image"));
    }
    notes
}

/// Returns the names of the top-level fields that contain a text.
fn fields_with<'a>(text: &str, request: &'a Value) -> Vec<&'a str> {
    let fields = request.as_object().into_iter().flatten();
    fields.filter(|(_, value)| holds(value, text)).map(|(name, _)| name.as_str()).collect()
}

/// Returns true if a value contains a text at any depth.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(fields) => fields.values().any(|field| holds(field, text)),
        _ => false,
    }
}
