//! Against a server on the loopback: what is stored and fetched in the face of failures, and what is left behind.

mod buckets;
mod server;

use std::fs::File;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::retry::RetryConfig;

use self::server::{Fault, Server};
use super::*;
use crate::cloud::CloudError;
use crate::tests::TestResult;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";

struct Account;

#[async_trait]
impl Identity for Account {
    async fn account(&self) -> CloudResult<String> {
        Ok(ACCOUNT.to_owned())
    }

    async fn role_arn(&self, role: &str) -> CloudResult<String> {
        Ok(role.to_owned())
    }
}

fn objects(server: &Server) -> AwsObjects {
    let retries =
        RetryConfig::standard().with_max_attempts(3).with_initial_backoff(std::time::Duration::from_millis(1));
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
        .endpoint_url(&server.url)
        .retry_config(retries)
        .build();
    AwsObjects::with(Client::from_conf(config), REGION, Arc::new(Account))
}

fn uri() -> TestResult<S3Uri> {
    Ok(S3Uri::parse("s3://bucket/folder/key")?)
}

const KEY: &str = "bucket/folder/key";

/// A file of that many bytes, no two parts of which are alike.
fn file(size: usize) -> TestResult<(File, Vec<u8>)> {
    let bytes: Vec<u8> = (0..size.div_ceil(4)).flat_map(|n| u32::try_from(n).unwrap_or(0).to_le_bytes()).collect();
    let mut file = tempfile::tempfile()?;
    file.write_all(&bytes[..size])?;
    Ok((file, bytes[..size].to_vec()))
}

fn digest(mut bytes: &[u8]) -> TestResult<ContentDigest> {
    let size = bytes.len() as u64;
    Ok(ContentDigest::of(&mut bytes, size, |_| {})?)
}

const LARGE: usize = 20 * 1024 * 1024 + 5;

#[tokio::test]
async fn files_of_all_sizes_are_stored_as_they_are() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    for size in [0, 5, LARGE] {
        let (file, bytes) = file(size)?;
        let told = Arc::new(AtomicU64::new(0));
        let count = told.clone();
        let content = ObjectContent {
            digest: Some(digest(&bytes)?),
            kms_key_id: Some("key-1".to_owned()),
            progress: Arc::new(move |bytes| _ = count.fetch_add(bytes, Ordering::Relaxed)),
            ..ObjectContent::of(file)
        };
        objects.put(&uri()?, content).await?;
        let stored = server.state(|state| state.objects[KEY].clone());
        assert!(stored.bytes == bytes, "{size}");
        assert_eq!(stored.headers["x-amz-server-side-encryption-aws-kms-key-id"], "key-1");
        assert_eq!(told.load(Ordering::Relaxed), size as u64);
        assert_eq!(objects.head(&uri()?).await?, Some(size as u64));
    }
    assert_eq!((server.count("PutObject"), server.count("UploadPart")), (2, 3));
    Ok(())
}

#[tokio::test]
async fn a_file_that_has_changed_is_not_stored() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    for size in [5, LARGE] {
        let (file, _) = file(size)?;
        let content = ObjectContent { digest: Some(digest(b"as it was")?), ..ObjectContent::of(file) };
        let error = objects.put(&uri()?, content).await.err().ok_or("it was stored")?;
        assert!(error.to_string().contains("changed"), "{error}");
    }
    assert!(server.state(|state| state.objects.is_empty() && state.uploads.is_empty()));
    assert_eq!(server.count("AbortMultipartUpload"), 1);
    Ok(())
}

#[tokio::test]
async fn parts_are_sent_again_and_a_hopeless_upload_is_aborted() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    for fault in [Fault::Refused(503, "SlowDown"), Fault::Lost] {
        server.fail("UploadPart", fault);
    }
    let (file, bytes) = file(LARGE)?;
    objects.put(&uri()?, ObjectContent::of(file.try_clone()?)).await?;
    assert!(server.state(|state| state.objects.remove(KEY).is_some_and(|object| object.bytes == bytes)));
    server.fail("UploadPart", Fault::Refused(403, "AccessDenied"));
    assert!(objects.put(&uri()?, ObjectContent::of(file)).await.is_err_and(|error| error.is_denied()));
    assert!(server.state(|state| state.objects.is_empty() && state.uploads.is_empty()));
    Ok(())
}

#[tokio::test]
async fn a_completion_whose_answer_got_lost_is_a_success() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    server.fail("CompleteMultipartUpload", Fault::Lost);
    objects.put(&uri()?, ObjectContent::of(file(LARGE)?.0)).await?;
    assert_eq!(server.count("CompleteMultipartUpload"), 2);
    assert!(objects.open_uploads.all().is_empty());
    // Not so where another's object stands there, and the upload is gone.
    server.fail("CompleteMultipartUpload", Fault::Refused(404, "NoSuchUpload"));
    assert!(objects.put(&uri()?, ObjectContent::of(file(LARGE + 1)?.0)).await.is_err());
    Ok(())
}

#[tokio::test]
async fn what_an_interrupted_upload_left_is_aborted() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    let (file, _) = file(LARGE)?;
    let stored = Arc::new(tokio::sync::Notify::new());
    let tell = stored.clone();
    let content = ObjectContent { progress: Arc::new(move |_| tell.notify_one()), ..ObjectContent::of(file) };
    let uri = uri()?;
    tokio::select! {
        _ = objects.put(&uri, content) => return Err("it was not interrupted".into()),
        () = stored.notified() => {}
    }
    assert!(server.state(|state| !state.uploads.is_empty()));
    objects.abort_uploads().await;
    assert!(server.state(|state| state.objects.is_empty() && state.uploads.is_empty()));
    Ok(())
}

/// Its id is not known yet when Ctrl-C is pressed.
#[tokio::test]
async fn an_upload_that_is_just_beginning_is_aborted_too() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    let uri = uri()?;
    tokio::select! {
        biased;
        _ = objects.begin(&uri, None) => return Err("it was not interrupted".into()),
        () = std::future::ready(()) => {}
    }
    objects.abort_uploads().await;
    assert_eq!((server.count("CreateMultipartUpload"), server.count("AbortMultipartUpload")), (1, 1));
    assert!(server.state(|state| state.uploads.is_empty()));
    Ok(())
}

/// As a command does: a blocking thread reads, and the event loop's one thread waits for it.
async fn read(mut reader: Box<dyn Read + Send>) -> TestResult<std::io::Result<Vec<u8>>> {
    let read = move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

#[tokio::test]
async fn what_breaks_off_is_taken_up_where_it_did() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    let (file, bytes) = file(3 * 1024 * 1024)?;
    objects.put(&uri()?, ObjectContent::of(file)).await?;
    for cut in [0, 1, 1024 * 1024] {
        server.fail("GetObject", Fault::CutAfter(cut));
    }
    assert!(read(objects.get(&uri()?).await?).await?? == bytes);
    assert_eq!(server.count("GetObject"), 4);
    Ok(())
}

#[tokio::test]
async fn an_object_that_can_not_be_had_whole_is_an_error() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    assert!(matches!(objects.get(&uri()?).await, Err(CloudError::NotFound(_))));
    objects.put(&uri()?, ObjectContent::of(file(1024 * 1024)?.0)).await?;
    server.fail("GetObject", Fault::CutAfter(9));
    let reader = objects.get(&uri()?).await?;
    objects.put(&uri()?, ObjectContent::of(file(1024)?.0)).await?;
    let error = read(reader).await?.err().ok_or("it was read")?;
    assert!(error.to_string().contains("replaced"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_object_whose_size_is_not_told_is_not_taken_for_empty() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    objects.put(&uri()?, ObjectContent::of(file(1024)?.0)).await?;
    let expected = "does not tell the size of s3://bucket/folder/key";
    server.fail("HeadObject", Fault::Unsized);
    assert!(objects.stat(&uri()?).await.is_err_and(|error| error.to_string().contains(expected)));
    server.fail("HeadObject", Fault::Unsized);
    assert!(objects.head(&uri()?).await.is_err_and(|error| error.to_string().contains(expected)));
    server.fail("GetObject", Fault::Unsized);
    assert!(objects.get(&uri()?).await.is_err_and(|error| error.to_string().contains(expected)));
    Ok(())
}

/// The reader must end when the event loop does.
#[test]
fn a_fetch_that_is_given_up_ends_its_reader() -> TestResult {
    let server = Server::start()?;
    let (file, _) = file(30 * 1024 * 1024)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut reader = runtime.block_on(async {
        let objects = objects(&server);
        objects.put(&uri()?, ObjectContent::of(file)).await?;
        TestResult::Ok(objects.get(&uri()?).await?)
    })?;
    runtime.shutdown_background();
    assert!(reader.read_to_end(&mut Vec::new()).is_err());
    Ok(())
}
