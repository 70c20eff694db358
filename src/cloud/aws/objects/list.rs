//! ListObjectsV2: the objects below a prefix, page by page.

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, try_unfold};

use super::{AwsObjects, size};
use crate::cloud::{CloudError, CloudResult, ObjectSummary, PageTokens};
use crate::model::S3Uri;

/// Token of the next page, and the guard against repeated ones.
#[derive(Default)]
struct PageCursor {
    token: Option<String>,
    tokens: PageTokens,
}

impl AwsObjects {
    pub(super) fn list_pages(&self, prefix: S3Uri) -> BoxStream<'_, CloudResult<Vec<ObjectSummary>>> {
        let next = move |cursor: Option<PageCursor>| {
            let prefix = prefix.clone();
            async move {
                match cursor {
                    Some(cursor) => self.list_page(&prefix, cursor).await.map(Some),
                    None => Ok(None),
                }
            }
        };
        try_unfold(Some(PageCursor::default()), next).boxed()
    }

    /// Returns a page and the cursor of the next one, which is `None` at the end.
    async fn list_page(
        &self,
        prefix: &S3Uri,
        cursor: PageCursor,
    ) -> CloudResult<(Vec<ObjectSummary>, Option<PageCursor>)> {
        let PageCursor { token, mut tokens } = cursor;
        let call = self.client.list_objects_v2().bucket(prefix.bucket()).prefix(prefix.key());
        let call = call.set_expected_bucket_owner(self.owner(prefix.bucket())).set_continuation_token(token);
        let page = call.send().await;
        let what = format!("what lies below {prefix}");
        let page = page.map_err(|error| self.failure(&format!("list {what}"), &prefix.root(), &error))?;
        let root = prefix.root();
        let mut objects = Vec::new();
        for object in page.contents.unwrap_or_default() {
            let Some(key) = object.key else { continue };
            let uri = root.join(&key);
            let size = size(&uri, object.size)?;
            objects.push(ObjectSummary { uri, size, version: object.e_tag });
        }
        if page.is_truncated == Some(true) && page.next_continuation_token.is_none() {
            return Err(cut_short(&what));
        }
        let token = page.next_continuation_token.filter(|_| page.is_truncated != Some(false));
        let token = tokens.after(objects.is_empty()).next(token, &what)?;
        Ok((objects, token.map(|token| PageCursor { token: Some(token), tokens })))
    }
}

fn cut_short(what: &str) -> CloudError {
    CloudError::Unusable {
        what: format!("{what} can't be listed to the end: S3 tells that there is more, and not where"),
        hint: "try again, and check AWS_ENDPOINT_URL if it is set".to_owned(),
    }
}
