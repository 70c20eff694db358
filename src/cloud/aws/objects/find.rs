//! What S3 knows of an object: its size, its version, and the checksum that it keeps.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};

use super::{AwsObjects, error, size};
use crate::cloud::aws::error::answer;
use crate::cloud::{CloudResult, Held, Object};
use crate::model::S3Uri;
use crate::model::checksum::{Algorithm, Checksum, ContentDigest};

impl AwsObjects {
    pub(super) async fn find_object(&self, uri: &S3Uri) -> CloudResult<Option<Object>> {
        let Some(found) = self.look_up(uri, Some(ChecksumMode::Enabled), None).await? else { return Ok(None) };
        let checksum = match stated(&found) {
            Some((algorithm, value, true)) => self.of_parts(uri, algorithm, &value).await?,
            Some((algorithm, value, false)) => decoded(algorithm, &value, None),
            None => None,
        };
        Ok(Some(Object {
            uri: uri.clone(),
            size: size(uri, found.content_length)?,
            version: found.e_tag.unwrap_or_default(),
            version_id: found.version_id,
            checksum,
            file: None,
        }))
    }

    /// S3 computes the digest itself when an object is uploaded with one, and tells it again.
    pub(super) async fn verify_object(&self, uri: &S3Uri, expected: &ContentDigest) -> CloudResult<Held> {
        let Some(found) = self.look_up(uri, Some(ChecksumMode::Enabled), None).await? else { return Ok(Held::Nothing) };
        let is_expected = size(uri, found.content_length)? == expected.size
            && found.checksum_sha256.is_some_and(|told| told == encoded(expected));
        Ok(if is_expected { Held::Expected } else { Held::Other })
    }

    /// A checksum of parts says how many there are; how large they are takes another call.
    async fn of_parts(&self, uri: &S3Uri, algorithm: Algorithm, value: &str) -> CloudResult<Option<Checksum>> {
        let first = self.look_up(uri, None, Some(1)).await?;
        let part_size = first.map(|part| size(uri, part.content_length)).transpose()?.filter(|size| *size > 0);
        let value = value.split('-').next().unwrap_or_default();
        Ok(part_size.and_then(|part_size| decoded(algorithm, value, Some(part_size))))
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

/// A checksum of the object, and whether it is one of its parts' checksums: those end with the number of parts.
fn stated(object: &HeadObjectOutput) -> Option<(Algorithm, String, bool)> {
    let all = [
        (Algorithm::Crc64Nvme, &object.checksum_crc64_nvme),
        (Algorithm::Crc32c, &object.checksum_crc32_c),
        (Algorithm::Crc32, &object.checksum_crc32),
        (Algorithm::Sha256, &object.checksum_sha256),
        (Algorithm::Sha1, &object.checksum_sha1),
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
fn decoded(algorithm: Algorithm, value: &str, part_size: Option<u64>) -> Option<Checksum> {
    let value = aws_smithy_types::base64::decode(value).ok()?;
    Some(Checksum { algorithm, value, part_size })
}
