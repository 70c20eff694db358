//! What S3 knows of an object: its size, its version, and the checksum that it keeps.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};

use super::{AwsObjects, error, size};
use crate::cloud::aws::error::answer;
use crate::cloud::{CloudResult, ContentMatch, Object};
use crate::model::S3Uri;
use crate::model::checksum::{Checksum, ChecksumAlgorithm, ContentDigest};

impl AwsObjects {
    pub(super) async fn find_object(&self, uri: &S3Uri) -> CloudResult<Option<Object>> {
        let Some(found) = self.look_up(uri, Some(ChecksumMode::Enabled), None).await? else { return Ok(None) };
        let checksum = match stated(&found) {
            Some((algorithm, value, true)) => {
                self.of_parts(uri, size(uri, found.content_length)?, algorithm, &value).await?
            }
            Some((algorithm, value, false)) => decoded(algorithm, &value, None),
            None => None,
        };
        Ok(Some(Object {
            uri: uri.clone(),
            size: size(uri, found.content_length)?,
            version: found.e_tag,
            version_id: found.version_id,
            checksum,
            file: None,
        }))
    }

    /// S3 computes the digest itself when an object is uploaded with one, and tells it again.
    pub(super) async fn verify_object(&self, uri: &S3Uri, expected: &ContentDigest) -> CloudResult<ContentMatch> {
        let Some(found) = self.look_up(uri, Some(ChecksumMode::Enabled), None).await? else {
            return Ok(ContentMatch::Nothing);
        };
        // A digest of parts is another thing than one of the whole, even where its value is the same.
        let is_of_parts = found.checksum_type == Some(ChecksumType::Composite);
        let is_of_whole = found.checksum_type == Some(ChecksumType::FullObject);
        let is_kind = if expected.parts().is_some() { !is_of_whole } else { !is_of_parts };
        let is_expected = size(uri, found.content_length)? == expected.size
            && is_kind
            && found.checksum_sha256.is_some_and(|told| told == encoded(expected));
        Ok(if is_expected { ContentMatch::Expected } else { ContentMatch::Other })
    }

    /// The checksum of an object that was uploaded in parts. Its value ends with `-N`, their number; how large they are takes
    /// another call, which tells their number too. Parts of different sizes can't be told from this: then there is no
    /// checksum that bytes could be held against, and neither where the number of parts isn't told at all.
    async fn of_parts(
        &self,
        uri: &S3Uri,
        total: u64,
        algorithm: ChecksumAlgorithm,
        value: &str,
    ) -> CloudResult<Option<Checksum>> {
        let Some(first) = self.look_up(uri, None, Some(1)).await? else { return Ok(None) };
        let part_size = size(uri, first.content_length)?.max(1);
        let (value, count) = match value.split_once('-') {
            Some((value, count)) => (value, count.parse().ok()),
            None => (value, first.parts_count.and_then(|count| u64::try_from(count).ok())),
        };
        let is_alike = count == Some(total.div_ceil(part_size));
        Ok(if is_alike { decoded(algorithm, value, Some(part_size)) } else { None })
    }

    pub(super) async fn look_up(
        &self,
        uri: &S3Uri,
        mode: Option<ChecksumMode>,
        part: Option<i32>,
    ) -> CloudResult<Option<HeadObjectOutput>> {
        let call = self.client.head_object().bucket(uri.bucket()).key(uri.key());
        let call = call.set_checksum_mode(mode).set_part_number(part);
        match call.set_expected_bucket_owner(self.owner(uri.bucket())).send().await {
            Ok(object) => Ok(Some(object)),
            Err(error) if answer(&error).is_some_and(|answer| answer.status == 404) => Ok(None),
            Err(error) => Err(error::or_missing(self.failure(&format!("look up {uri}"), uri, &error), uri)),
        }
    }
}

/// A checksum of the object, and whether it is one of its parts' checksums: S3 says so by the type, and, since before there
/// were types, by the number of parts at the value's end.
fn stated(object: &HeadObjectOutput) -> Option<(ChecksumAlgorithm, String, bool)> {
    let all = [
        (ChecksumAlgorithm::Crc64Nvme, &object.checksum_crc64_nvme),
        (ChecksumAlgorithm::Crc32c, &object.checksum_crc32_c),
        (ChecksumAlgorithm::Crc32, &object.checksum_crc32),
        (ChecksumAlgorithm::Sha256, &object.checksum_sha256),
        (ChecksumAlgorithm::Sha1, &object.checksum_sha1),
    ];
    let is_composite = object.checksum_type == Some(ChecksumType::Composite);
    all.into_iter().find_map(|(algorithm, value)| {
        let value = value.clone()?;
        let is_of_parts = is_composite || value.contains('-');
        Some((algorithm, value, is_of_parts))
    })
}

/// S3's checksum of an object that comes whole. One of parts is of no use: how large they are is not told.
pub(super) fn of_whole(object: &GetObjectOutput) -> Option<Checksum> {
    let told = HeadObjectOutput::builder()
        .set_checksum_crc64_nvme(object.checksum_crc64_nvme.clone())
        .set_checksum_crc32_c(object.checksum_crc32_c.clone())
        .set_checksum_crc32(object.checksum_crc32.clone())
        .set_checksum_sha256(object.checksum_sha256.clone())
        .set_checksum_sha1(object.checksum_sha1.clone())
        .set_checksum_type(object.checksum_type.clone());
    let (algorithm, value, _) = stated(&told.build()).filter(|(.., is_of_parts)| !is_of_parts)?;
    decoded(algorithm, &value, None)
}

/// A digest as S3 tells it: that of parts ends with their number.
pub(super) fn encoded(digest: &ContentDigest) -> String {
    let value = aws_smithy_types::base64::encode(digest.sha256);
    digest.parts().map_or_else(|| value.clone(), |parts| format!("{value}-{parts}"))
}

/// One that can't be read is as good as none.
fn decoded(algorithm: ChecksumAlgorithm, value: &str, part_size: Option<u64>) -> Option<Checksum> {
    let value = aws_smithy_types::base64::decode(value).ok()?;
    Some(Checksum { algorithm, value, part_size })
}
