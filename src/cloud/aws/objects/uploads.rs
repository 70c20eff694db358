//! Opens and aborts multipart uploads. S3 keeps the parts of an open upload, and charges for them, until it is
//! completed or aborted.

use std::time::Duration;

use aws_sdk_s3::types::ChecksumAlgorithm;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::AwsObjects;
use super::encryption::{AppliedEncryption, encryption};
use super::open_uploads::Upload;
use crate::cloud::aws::error::answer;
use crate::cloud::{CloudError, CloudResult};
use crate::model::S3Uri;

/// Timeout for aborting all uploads after Ctrl-C.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);

impl AwsObjects {
    /// Opens an upload in a task of its own: if the caller is cancelled, the upload's id is still registered.
    pub(super) async fn begin(&self, uri: &S3Uri, kms_key_id: Option<String>) -> CloudResult<Upload> {
        let owner = self.owner(uri.bucket());
        let call = self.client.create_multipart_upload().bucket(uri.bucket()).key(uri.key());
        let call = call.set_expected_bucket_owner(owner.clone());
        let call = call.set_server_side_encryption(encryption(kms_key_id.as_deref()));
        let call = call.set_ssekms_key_id(kms_key_id).checksum_algorithm(ChecksumAlgorithm::Sha256);
        let open_uploads = self.open_uploads.clone();
        let target = uri.clone();
        let begun = self.open_uploads.beginning.spawn(async move {
            let begun = call.send().await?;
            let encryption = AppliedEncryption::new(begun.server_side_encryption, begun.ssekms_key_id);
            let upload = begun.upload_id.map(|id| Upload { uri: target, id, owner, encryption });
            upload.iter().cloned().for_each(|upload| open_uploads.add(upload));
            Ok(upload)
        });
        let begun = begun.await.map_err(|error| CloudError::Other(format!("storing ended: {error}")))?;
        let upload = begun.map_err(|error| self.failure(&format!("store {uri}"), uri, &error))?;
        upload.ok_or_else(|| CloudError::Other(format!("S3 opened an upload to {uri} and returned no id of it")))
    }

    /// Aborts an upload. One that can't be aborted stays registered, for [`abort_all`](Self::abort_all) to try again.
    pub(super) async fn abort(&self, upload: &Upload) -> CloudResult<()> {
        let call = self.client.abort_multipart_upload().upload_id(&upload.id);
        let call = call.bucket(upload.uri.bucket()).key(upload.uri.key());
        match call.set_expected_bucket_owner(upload.owner.clone()).send().await {
            Err(error) if answer(&error).is_none_or(|answer| answer.status != 404) => {
                Err(self.failure(&abort_of(upload), &upload.uri, &error))
            }
            _ => {
                self.open_uploads.remove(upload);
                Ok(())
            }
        }
    }

    /// Aborts all open uploads; returns the errors of those that could not be aborted.
    pub(super) async fn abort_all(&self) -> Vec<CloudError> {
        let abort = async {
            self.open_uploads.beginning.close();
            self.open_uploads.beginning.wait().await;
            join_all(self.open_uploads.all().iter().map(|upload| self.abort(upload))).await
        };
        match timeout(ABORT_TIMEOUT, abort).await {
            Ok(aborted) => aborted.into_iter().filter_map(Result::err).collect(),
            Err(_late) => self.open_uploads.all().iter().map(|upload| CloudError::Other(left_open(upload))).collect(),
        }
    }
}

fn abort_of(upload: &Upload) -> String {
    format!("abort the upload {} to {}, whose parts are kept and cost money", upload.id, upload.uri)
}

fn left_open(upload: &Upload) -> String {
    format!("could not {}: it takes too long", abort_of(upload))
}
