//! What lies below a prefix, page by page.

use super::{AwsObjects, size};
use crate::cloud::{CloudResult, ObjectSummary};
use crate::model::S3Uri;

impl AwsObjects {
    pub(super) async fn list_all(&self, prefix: &S3Uri) -> CloudResult<Vec<ObjectSummary>> {
        let (mut objects, mut token) = (Vec::new(), None);
        loop {
            let call = self.client.list_objects_v2().bucket(prefix.bucket()).prefix(prefix.key());
            let call = call.set_expected_bucket_owner(self.owner(prefix.bucket())).set_continuation_token(token);
            let page = call
                .send()
                .await
                .map_err(|error| self.failure(&format!("list what lies below {prefix}"), &prefix.root(), &error))?;
            for object in page.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                let version = object.e_tag.unwrap_or_default();
                let uri = prefix.root().join(&key);
                let size = size(&uri, object.size)?;
                objects.push(ObjectSummary { uri, size, version });
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }
}
