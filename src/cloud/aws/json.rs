//! SageMaker's JSON, as it is sent and received.
//!
//! The SDK's types know the fields of the SDK's release date. A request is sent as our own document instead, and a
//! response is parsed from its raw bytes, so that newer fields are kept in both directions. Endpoints, signatures,
//! retries and errors stay the SDK's.

use std::sync::{Arc, Mutex};

use aws_sdk_sagemaker::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_sagemaker::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sagemaker::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::INTERPOSED;
use crate::cloud::{CloudError, CloudResult};
use crate::model::IgnorePoison;
use crate::model::training_job::DescribeTrainingJobResponse;

/// Returns a function that replaces the body of the SDK's request by a document, before it is signed.
pub(super) fn send(document: &Value) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    let body = document.to_string();
    move |request| {
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body.clone());
    }
}

/// Interceptor that keeps the body of the last response.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseBody(Arc<Mutex<Vec<u8>>>);

impl ResponseBody {
    /// Parses the response. SageMaker's times are seconds since 1970; the types of `model` take text. `what` names the
    /// response in errors.
    pub(super) fn read<T: DeserializeOwned>(&self, what: &str) -> CloudResult<T> {
        self.document().and_then(serde_json::from_value).map_err(unusable(what))
    }

    /// Parses the description of a job, which keeps the whole response. Otherwise like [`Self::read`].
    pub(super) fn read_job(&self, what: &str) -> CloudResult<DescribeTrainingJobResponse> {
        let read = || {
            let document = self.document()?;
            let job = DescribeTrainingJobResponse::deserialize(&document)?;
            Ok(DescribeTrainingJobResponse { document: Some(document), ..job })
        };
        read().map_err(unusable(what))
    }

    fn document(&self) -> serde_json::Result<Value> {
        let mut answer: Value = serde_json::from_slice(&self.0.lock().ignore_poison())?;
        times_as_text(&mut answer);
        Ok(answer)
    }
}

/// Returns a function that makes the error of a response that can't be parsed.
fn unusable(what: &str) -> impl FnOnce(serde_json::Error) -> CloudError {
    let what = what.to_owned();
    move |error| CloudError::Unusable { what: format!("{what} can't be read: {error}"), hint: INTERPOSED.to_owned() }
}

impl Intercept for ResponseBody {
    fn name(&self) -> &'static str {
        "keep the answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().ignore_poison() = body.to_vec();
        Ok(())
    }
}

/// Returns whether a field of SageMaker's responses is a time, if it is a number. So are all that DescribeTrainingJob has
/// (botocore 1.44.5), and a field that it gains is taken for one by its name.
fn is_time(name: &str) -> bool {
    name == "Timestamp" || name.ends_with("Time")
}

fn times_as_text(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(times_as_text),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_f64().filter(|_| is_time(name)).and_then(time) {
                    Some(time) => *field = Value::String(time.to_string()),
                    None => times_as_text(field),
                }
            }
        }
        _ => {}
    }
}

/// Rounds to milliseconds: the precision of the service, and of a float of this size.
fn time(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is no time becomes one that is out of range")]
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_times_become_text() {
        let mut answer = json!({
            "CreationTime": 1_732_334_455.123,
            "Nested": [{ "StartTime": 0, "Value": 1.5 }],
            "HyperParameters": { "EndTime": "12" },
            "GainedTime": 1.25,
            "MaxTimeInSeconds": 60,
        });
        times_as_text(&mut answer);
        let expected = json!({
            "CreationTime": "2024-11-23T04:00:55.123Z",
            "Nested": [{ "StartTime": "1970-01-01T00:00:00Z", "Value": 1.5 }],
            "HyperParameters": { "EndTime": "12" },
            "GainedTime": "1970-01-01T00:00:01.25Z",
            "MaxTimeInSeconds": 60,
        });
        assert_eq!(answer, expected);
    }
}
