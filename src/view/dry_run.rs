//! The request that would be sent: what only AWS can tell, and what nobody should see, is named beside it.

use serde_json::Value;

use crate::cloud::placeholder::{ACCOUNT, REGION, ROLE_PATH};

pub(crate) struct DryRun {
    document: Value,
    notes: Vec<String>,
}

impl DryRun {
    pub(crate) fn of(request: &Value) -> Self {
        let (mut document, mut notes) = (request.clone(), placeholders(request));
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

/// What each placeholder stands for, and where it stands.
fn placeholders(request: &Value) -> Vec<String> {
    let meanings = [
        (ACCOUNT, "the account's number"),
        (ROLE_PATH, "the role's path"),
        (REGION, "the region: give --region or set AWS_REGION"),
    ];
    let mut notes: Vec<String> = meanings
        .iter()
        .filter_map(|(placeholder, meaning)| {
            let places = places_of(placeholder, request);
            (!places.is_empty()).then(|| format!("placeholder: {placeholder} in {}: {meaning}", places.join(", ")))
        })
        .collect();
    let image = request.pointer("/AlgorithmSpecification/TrainingImage").and_then(Value::as_str);
    if let Some(image) = image.filter(|image| image.starts_with('<') && !image.starts_with(REGION)) {
        notes.push(format!("placeholder: TrainingImage {image}, since a local job runs in no image"));
    }
    notes
}

/// The top-level fields that hold the text.
fn places_of<'a>(text: &str, request: &'a Value) -> Vec<&'a str> {
    let fields = request.as_object().into_iter().flatten();
    fields.filter(|(_, value)| holds(value, text)).map(|(name, _)| name.as_str()).collect()
}

fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(fields) => fields.values().any(|field| holds(field, text)),
        _ => false,
    }
}
