//! Reads a single object's bytes in order on a blocking thread, while they are fetched.

use std::sync::Arc;

use futures_util::stream;

use super::byte_ranges::ByteRanges;
use super::failure::{SaveFailure, could_not};
use super::fetch::{FetchItem, FetchTarget, fetch};
use super::journal::Journal;
use super::spool::{CloseOnDrop, DownloadSpool, SpoolReader};
use super::verify::VerifyingReader;
use super::watch::{Watch, on_bytes};
use crate::archive::UnpackError;
use crate::cloud::{ByteProgress, Cloud, Object};
use crate::error::{Result, WithContext};

/// Reader of an object's bytes in order, verified by S3's checksum. For a blocking thread.
pub(super) type VerifiedObjectReader = VerifyingReader<SpoolReader>;

/// Passes an object's bytes to `work` on a blocking thread, without keeping them.
pub(super) async fn read<T: Send + 'static>(
    cloud: &Cloud,
    object: &Object,
    watch: &Arc<dyn Watch>,
    work: impl FnOnce(VerifiedObjectReader) -> std::result::Result<T, UnpackError> + Send + 'static,
) -> Result<T> {
    let spool = match &object.file {
        Some(file) => DownloadSpool::kept(file.clone(), object.size, ByteRanges::all(object.size)),
        None => DownloadSpool::temporary(object.size).context("create a temporary file")?,
    };
    let spool = Arc::new(spool);
    let reader = VerifyingReader::new(SpoolReader::new(spool.clone()), object.checksum.clone());
    watch.begin("reading", object.size, 0, None);
    let read_object = object.clone();
    let shared = spool.clone();
    let work = async move {
        let worked =
            tokio::task::spawn_blocking(move || work(reader).map_err(|error| could_not("read", &read_object, error)));
        Ok::<T, SaveFailure>(worked.await.context("finish the work")??)
    };
    let read = while_fetching(cloud, object, shared, None, &on_bytes(watch), work).await;
    read.map_err(|failure| *failure.error)
}

/// Runs `work` while the missing bytes are fetched. An error of either ends the other; once the work is done, no more
/// bytes are fetched.
pub(super) async fn while_fetching<T>(
    cloud: &Cloud,
    object: &Object,
    spool: Arc<DownloadSpool>,
    journal: Option<Arc<Journal>>,
    on_bytes: &ByteProgress,
    work: impl Future<Output = std::result::Result<T, SaveFailure>>,
) -> std::result::Result<T, SaveFailure> {
    let missing = spool.missing();
    let closing = CloseOnDrop(spool.clone());
    let item = FetchItem { object: Arc::new(object.clone()), number: 0, missing, to: FetchTarget::Spool(spool) };
    let fetching = fetch(&*cloud.objects, stream::iter([Ok(item)]), journal, on_bytes);
    tokio::pin!(work);
    tokio::select! {
        biased;
        worked = &mut work => worked,
        fetched = fetching => match fetched {
            Ok(()) => work.await,
            Err(error) => {
                drop(closing);
                // The work fails because bytes are missing: the cause is the fetch.
                let _for_want_of_bytes = work.await;
                Err(error.into())
            }
        },
    }
}
