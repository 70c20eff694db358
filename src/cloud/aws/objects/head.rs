//! HeadObject: an object's size, ETag and checksum.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};

use super::{AwsObjects, error, size};
use crate::cloud::aws::error::answer;
use crate::cloud::{CloudResult, ContentMatch, Object};
use crate::model::S3Uri;
use crate::model::checksum::{Checksum, ChecksumAlgorithm, ContentDigest};

impl AwsObjects {
    /// Returns an object with a checksum that its bytes can be verified with, if S3 has one.
    pub(super) async fn find_object(&self, uri: &S3Uri) -> CloudResult<Option<Object>> {
        let Some(found) = self.head_object(uri, Some(ChecksumMode::Enabled), None).await? else { return Ok(None) };
        let checksum = match stored_checksum(&found) {
            Some((algorithm, value, true)) => {
                self.composite_checksum(uri, size(uri, found.content_length)?, algorithm, &value).await?
            }
            Some((algorithm, value, false)) => decode_checksum(algorithm, &value, None),
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

    /// Compares the SHA-256 that S3 computed at the upload with the expected digest, and how the object is stored with
    /// how it would be stored now.
    pub(super) async fn verify_object(
        &self,
        uri: &S3Uri,
        expected: &ContentDigest,
        kms_key_id: Option<&str>,
    ) -> CloudResult<ContentMatch> {
        let Some(found) = self.head_object(uri, Some(ChecksumMode::Enabled), None).await? else {
            return Ok(ContentMatch::Nothing);
        };
        // A digest of parts differs from one of the whole, even if the values are equal.
        let is_composite = found.checksum_type == Some(ChecksumType::Composite);
        let is_of_whole = found.checksum_type == Some(ChecksumType::FullObject);
        let is_kind = if expected.parts().is_some() { !is_of_whole } else { !is_composite };
        let is_expected = size(uri, found.content_length)? == expected.size
            && is_kind
            && found.checksum_sha256.as_ref().is_some_and(|reported| *reported == encode_digest(expected));
        if !is_expected {
            return Ok(ContentMatch::Other);
        }
        let is_stored_alike = self.is_stored_alike(uri, &found, kms_key_id).await?;
        Ok(if is_stored_alike { ContentMatch::Expected } else { ContentMatch::StoredOtherwise })
    }

    /// Returns the checksum of a multipart object. Its value ends in `-N`, the number of parts; their size takes
    /// another call, which returns the number as well. Returns `None` if the parts differ in size or their number is
    /// unknown: the bytes could not be verified then.
    async fn composite_checksum(
        &self,
        uri: &S3Uri,
        total: u64,
        algorithm: ChecksumAlgorithm,
        value: &str,
    ) -> CloudResult<Option<Checksum>> {
        let Some(first) = self.head_object(uri, None, Some(1)).await? else { return Ok(None) };
        let part_size = size(uri, first.content_length)?.max(1);
        let (value, count) = match value.split_once('-') {
            Some((value, count)) => (value, count.parse().ok()),
            None => (value, first.parts_count.and_then(|count| u64::try_from(count).ok())),
        };
        let has_equal_parts = count == Some(total.div_ceil(part_size));
        Ok(if has_equal_parts { decode_checksum(algorithm, value, Some(part_size)) } else { None })
    }

    pub(super) async fn head_object(
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
            Err(error) => Err(error::with_missing_hint(self.failure(&format!("look up {uri}"), uri, &error), uri)),
        }
    }
}

/// Returns an object's checksum, and whether it is composite, which S3 reports by its type. Where that is missing, the
/// number of parts at the end of the value or of the ETag tells.
fn stored_checksum(object: &HeadObjectOutput) -> Option<(ChecksumAlgorithm, String, bool)> {
    let all = [
        (ChecksumAlgorithm::Crc64Nvme, &object.checksum_crc64_nvme),
        (ChecksumAlgorithm::Crc32c, &object.checksum_crc32_c),
        (ChecksumAlgorithm::Crc32, &object.checksum_crc32),
        (ChecksumAlgorithm::Sha256, &object.checksum_sha256),
        (ChecksumAlgorithm::Sha1, &object.checksum_sha1),
    ];
    let (algorithm, value) = all.into_iter().find_map(|(algorithm, value)| Some((algorithm, value.clone()?)))?;
    let is_composite = match object.checksum_type {
        Some(ChecksumType::Composite) => true,
        Some(ChecksumType::FullObject) => false,
        _ => value.contains('-') || is_of_parts(object.e_tag()),
    };
    Some((algorithm, value, is_composite))
}

/// Returns whether an ETag is that of a multipart upload: it ends in `-N`, the number of parts.
fn is_of_parts(etag: Option<&str>) -> bool {
    let number = etag.and_then(|etag| etag.trim_matches('"').rsplit_once('-'));
    number.is_some_and(|(_, parts)| !parts.is_empty() && parts.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Returns the checksum of a whole object's response. A composite one is useless here: the parts' size is unknown.
pub(super) fn whole_checksum(object: &GetObjectOutput) -> Option<Checksum> {
    let reported = HeadObjectOutput::builder()
        .set_checksum_crc64_nvme(object.checksum_crc64_nvme.clone())
        .set_checksum_crc32_c(object.checksum_crc32_c.clone())
        .set_checksum_crc32(object.checksum_crc32.clone())
        .set_checksum_sha256(object.checksum_sha256.clone())
        .set_checksum_sha1(object.checksum_sha1.clone())
        .set_checksum_type(object.checksum_type.clone())
        .set_e_tag(object.e_tag.clone());
    let (algorithm, value, _) = stored_checksum(&reported.build()).filter(|(.., is_composite)| !is_composite)?;
    decode_checksum(algorithm, &value, None)
}

/// Encodes a digest as S3 does: base64, followed by `-N` for N parts.
pub(super) fn encode_digest(digest: &ContentDigest) -> String {
    let value = aws_smithy_types::base64::encode(digest.sha256);
    digest.parts().map_or_else(|| value.clone(), |parts| format!("{value}-{parts}"))
}

/// Decodes a checksum; `None` if it is not valid base64.
fn decode_checksum(algorithm: ChecksumAlgorithm, value: &str, part_size: Option<u64>) -> Option<Checksum> {
    let value = aws_smithy_types::base64::decode(value).ok()?;
    Some(Checksum { algorithm, value, part_size })
}
