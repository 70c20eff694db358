//! Fetches, verifies and unpacks a single object, all at the same time.
//!
//! The object is fetched into a [`DownloadSpool`] in the staging directory, from which a blocking thread unpacks it or
//! verifies it. If the archive turns out to be damaged, its bytes are compared with what is stored, by S3's checksum or
//! by a second fetch, so that a damaged download is never taken for a damaged object and the other way round.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::artifacts::ArtifactSource;
use super::byte_ranges::ByteRanges;
use super::failure::{
    AsStored, BY_CHECKSUM, BY_OBJECT, BY_SECOND_FETCH, Digest, FetchedState, HOW_TO_KEEP_UNPROVEN, Proof, SaveFailure,
    is_mismatch, is_unsound, of_error, of_proof, with_causes,
};
use super::free_space;
use super::journal::Journal;
use super::layout::{ARCHIVE, FILES};
use super::object_reader::{VerifiedObjectReader, while_fetching};
use super::options::SaveOptions;
use super::spool::{DownloadSpool, SpoolReader};
use super::staging::{StagingDir, Target};
use super::verify::VerifyingReader;
use super::watch::on_bytes;
use crate::archive::{self, UnpackError, UnpackHooks, UnpackLimits, Unpacked};
use crate::cloud::{Cloud, Object};
use crate::error::{Result, WithContext};
use crate::model::checksum::ChecksumMismatch;
use crate::model::sha256;
use crate::ops::blocking;

/// Form in which an object is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    /// The files in an archive.
    Tree,
    /// The archive itself.
    Archive,
    /// An object that is no archive.
    File,
}

/// Saves an object at a path. Returns `None`, and creates nothing, if no file of it matches `--only`.
pub(super) async fn save(
    cloud: &Cloud,
    object: Object,
    artifact: &ArtifactSource,
    saving: &SaveOptions,
    kind: OutputKind,
    path: PathBuf,
) -> Result<Option<Unpacked>> {
    let target = Target::new(path, saving);
    let target = if kind == OutputKind::Archive { target.or_unpacked(&artifact.name) } else { target };
    let partial = blocking(move || StagingDir::open(&target)).await?;
    let saver = Arc::new(ArchiveSaver { partial, object, artifact: artifact.clone(), saving: saving.clone(), kind });
    let (is_resumed, mut result) = saver.clone().fetch_and_save(cloud, None).await?;
    if let Some((note, before)) = needs_second_fetch(is_resumed, &result) {
        saving.watch.note(note);
        saver.partial.clear()?;
        result = saver.clone().fetch_and_save(cloud, before).await?.1;
    }
    saver.finish(result)
}

type SaveResult = std::result::Result<Unpacked, SaveFailure>;

/// A single object and the options for saving it.
struct ArchiveSaver {
    partial: StagingDir,
    object: Object,
    artifact: ArtifactSource,
    saving: SaveOptions,
    kind: OutputKind,
}

impl ArchiveSaver {
    /// Fetches and saves the object. Returns whether the download was resumed, and the result. `before` is the digest
    /// of an earlier fetch of all bytes, with which this one is compared.
    async fn fetch_and_save(self: Arc<Self>, cloud: &Cloud, before: Option<Digest>) -> Result<(bool, SaveResult)> {
        let saver = self.clone();
        let PreparedFetch { spool, journal, present, limits } = blocking(move || saver.prepare()).await?;
        let kept_in = journal.is_some().then(|| self.partial.path());
        self.saving.watch.begin(&self.artifact.what, self.object.size, present, kept_in);
        let is_resumed = present > 0 && self.object.file.is_none();
        let fetched = FetchedObject { spool: spool.clone(), is_resumed, before };
        let saver = self.clone();
        let work = async move {
            let worked = tokio::task::spawn_blocking(move || saver.save_blocking(&fetched, &limits)).await;
            worked.context("finish the work")?
        };
        let result = while_fetching(cloud, &self.object, spool, journal, &on_bytes(&self.saving.watch), work).await;
        Ok((is_resumed, result))
    }

    /// Opens the spool and the journal, and computes the limits.
    fn prepare(&self) -> Result<PreparedFetch> {
        self.partial.clear_files()?;
        let object = &self.object;
        if let (Some(file), OutputKind::Tree) = (&object.file, &self.kind) {
            let limits = self.limits(0)?;
            let spool = Arc::new(DownloadSpool::kept(file.clone(), object.size, ByteRanges::all(object.size)));
            return Ok(PreparedFetch { spool, journal: None, present: object.size, limits });
        }
        let doing = || format!("write what is fetched to {}", self.partial.path().display());
        let (journal, known) = Journal::begin(self.partial.handle(), std::iter::once(object)).context(doing)?;
        let file = self.partial.open_archive()?;
        let mut present = known.into_iter().next().unwrap_or_default();
        let length = file.metadata().context(doing)?.len();
        if present.iter().any(|range| range.end > length) {
            present = ByteRanges::default();
        }
        let limits = self.limits(object.size - present.total())?;
        let total = present.total();
        let spool = DownloadSpool::kept(Arc::new(file), object.size, present);
        Ok(PreparedFetch { spool: Arc::new(spool), journal: Some(Arc::new(journal)), present: total, limits })
    }

    /// Returns the limits of unpacking, with `to_fetch` bytes still to be fetched. Fails if those do not fit on the
    /// disk.
    fn limits(&self, to_fetch: u64) -> Result<UnpackLimits> {
        let free = free_space::free(self.partial.handle(), self.partial.path())?;
        free_space::check(free.bytes, to_fetch, &self.object.uri)?;
        let room = || free_space::usable(free.bytes).saturating_sub(to_fetch);
        let limits = UnpackLimits { packed_from: self.artifact.packed_from, ..UnpackLimits::default() };
        let entries = free.entries.map_or(limits.entries, |entries| limits.entries.min(entries));
        Ok(UnpackLimits { bytes: self.saving.max_size.unwrap_or_else(room), entries, ..limits })
    }

    /// Unpacks or verifies the bytes; blocks.
    fn save_blocking(&self, fetched: &FetchedObject, limits: &UnpackLimits) -> SaveResult {
        let bytes = VerifyingReader::new(fetched.reader(), self.object.checksum.clone());
        match self.kind {
            OutputKind::Tree => {
                let files = self.partial.open_files()?;
                let path = self.partial.path().join(FILES);
                let mut reporter = UnpackReporter { saving: &self.saving, what: &self.artifact.what };
                let unpacked = archive::unpack_in(bytes, files, &path, limits, &mut reporter);
                unpacked.map_err(|error| self.failure("unpack", error, fetched))
            }
            OutputKind::Archive => match archive::check(bytes) {
                Ok(()) => Ok(self.one_file()),
                Err(error @ UnpackError::OtherFormat(_)) => {
                    self.saving.watch.warning(&format!("{}: {error}", self.object.uri));
                    self.keep_file(VerifyingReader::new(fetched.reader(), self.object.checksum.clone()))
                }
                Err(error) => self.keep_unsound(error, fetched),
            },
            OutputKind::File => self.keep_file(bytes),
        }
    }

    /// Reads a file to its end, where its checksum is verified.
    fn keep_file(&self, mut bytes: VerifiedObjectReader) -> SaveResult {
        match io::copy(&mut bytes, &mut io::sink()) {
            Ok(_) => Ok(self.one_file()),
            Err(error) => Err(of_error("fetch", &self.object, UnpackError::DamagedFile(error))),
        }
    }

    /// Keeps a damaged archive with a warning if it is proven to be what is stored.
    fn keep_unsound(&self, error: UnpackError, fetched: &FetchedObject) -> SaveResult {
        if is_mismatch(&error) {
            return Err(of_error("fetch", &self.object, error));
        }
        match self.prove(fetched) {
            Ok(Proof::Same(proof)) => {
                let uri = &self.object.uri;
                let wrong = with_causes(&AsStored { proof, error });
                self.saving.watch.warning(&format!("{uri} is kept as it is: {wrong}"));
                Ok(self.one_file())
            }
            Ok(proof) => Err(of_proof("fetch", &self.object, error, proof)),
            Err(_) => Err(of_error("fetch", &self.object, error)),
        }
    }

    /// Builds the failure of an archive's error. If the fetched bytes may differ from the stored ones, reads all of
    /// them to find out.
    fn failure(&self, doing: &str, error: UnpackError, fetched: &FetchedObject) -> SaveFailure {
        let is_doubtful = is_unsound(&error) || (error.is_malformed() && fetched.is_resumed);
        if !is_doubtful || is_mismatch(&error) {
            return of_error(doing, &self.object, error);
        }
        match self.prove(fetched) {
            Ok(proof) => of_proof(doing, &self.object, error, proof),
            Err(_) => of_error(doing, &self.object, error),
        }
    }

    /// Compares the fetched bytes with the stored object, by S3's checksum. Without one, compares them with the digest
    /// of an earlier fetch.
    fn prove(&self, fetched: &FetchedObject) -> io::Result<Proof> {
        if let Some(checksum) = &self.object.checksum {
            let mut bytes = VerifyingReader::new(fetched.reader(), Some(checksum.clone()));
            return match io::copy(&mut bytes, &mut io::sink()) {
                Ok(_) => Ok(Proof::Same(BY_CHECKSUM)),
                Err(error) if ChecksumMismatch::is(&error) => Ok(Proof::Other(ChecksumMismatch.to_string())),
                Err(error) => Err(error),
            };
        }
        match (&self.object.file, self.kind) {
            (Some(_), OutputKind::Tree) => return Ok(Proof::Same(BY_OBJECT)),
            (Some(file), _) => {
                let stored = DownloadSpool::kept(file.clone(), self.object.size, ByteRanges::all(self.object.size));
                let stored = sha256(&mut SpoolReader::new(Arc::new(stored)), |_| {})?;
                return Ok(compare(fetched.digest()?, stored, BY_OBJECT));
            }
            (None, OutputKind::Tree) if !fetched.is_resumed && fetched.before.is_none() => {
                return Ok(Proof::Missing(None));
            }
            (None, _) => {}
        }
        let digest = fetched.digest()?;
        Ok(match fetched.before {
            Some(before) => compare(digest, before, BY_SECOND_FETCH),
            None => Proof::Missing(Some(digest)),
        })
    }

    /// Returns true if no entry matched `--only`.
    fn nothing_matched(&self) -> Result<bool> {
        if self.kind != OutputKind::Tree || self.saving.only.is_none() {
            return Ok(false);
        }
        let entries = self.partial.open_files()?.entries(1);
        Ok(entries.context(|| format!("list what was unpacked to {}", self.partial.path().display()))?.is_empty())
    }

    /// Returns the counts of a single file.
    fn one_file(&self) -> Unpacked {
        Unpacked { files: 1, bytes: self.object.size, ..Unpacked::default() }
    }

    /// Puts the result in place, or decides what is kept of it after a failure.
    fn finish(&self, saved: SaveResult) -> Result<Option<Unpacked>> {
        match saved {
            Ok(Unpacked { left_out, .. }) if left_out.is_empty() && self.nothing_matched()? => {
                self.partial.clear()?;
                Ok(None)
            }
            Ok(unpacked) => {
                let is_tree = self.kind == OutputKind::Tree;
                self.partial.finish(if is_tree { FILES } else { ARCHIVE })?;
                Ok(Some(unpacked))
            }
            Err(SaveFailure { error, fetched }) => Err(match fetched {
                FetchedState::Sound => self.partial.hint(*error),
                FetchedState::Refused(how) => self.partial.hint_at(*error, how),
                FetchedState::Unproven(_) => self.partial.hint_at(*error, HOW_TO_KEEP_UNPROVEN),
                FetchedState::Wrong => {
                    self.partial.clear()?;
                    *error
                }
            }),
        }
    }
}

const DAMAGED_EARLIER: &str = "what was fetched earlier is damaged: all of it is fetched again";
const COMPARED: &str =
    "the archive is damaged, and S3 keeps no checksum of it: all of it is fetched again and compared";

/// Fetched bytes of an object, to be compared with what is stored.
struct FetchedObject {
    spool: Arc<DownloadSpool>,
    /// True if some of them were fetched by an earlier download.
    is_resumed: bool,
    /// Digest of an earlier fetch of all bytes.
    before: Option<Digest>,
}

impl FetchedObject {
    /// Returns a reader from the start. It blocks while bytes are being fetched.
    fn reader(&self) -> SpoolReader {
        SpoolReader::new(self.spool.clone())
    }

    /// Returns the SHA-256 of all bytes.
    fn digest(&self) -> io::Result<Digest> {
        sha256(&mut self.reader(), |_| {})
    }
}

/// Compares two digests of an object's bytes.
fn compare(digest: Digest, other: Digest, evidence: &'static str) -> Proof {
    if digest == other {
        Proof::Same(evidence)
    } else {
        Proof::Other("two reads of it gave different bytes".to_owned())
    }
}

/// Decides whether all bytes must be fetched again: because those of an earlier download may be the damaged ones, or
/// because only a second fetch can prove what is stored. Returns the note for the user and the digest of this fetch.
fn needs_second_fetch(is_resumed: bool, saved: &SaveResult) -> Option<(&'static str, Option<Digest>)> {
    match saved.as_ref().err()?.fetched {
        FetchedState::Wrong if is_resumed => Some((DAMAGED_EARLIER, None)),
        FetchedState::Unproven(Some(digest)) => Some((COMPARED, Some(digest))),
        _ => None,
    }
}

/// Spool, journal and limits of a fetch.
struct PreparedFetch {
    spool: Arc<DownloadSpool>,
    journal: Option<Arc<Journal>>,
    /// Number of bytes fetched by an earlier download.
    present: u64,
    /// Limits of unpacking.
    limits: UnpackLimits,
}

/// Passes the events of unpacking on to the watch.
struct UnpackReporter<'s> {
    saving: &'s SaveOptions,
    what: &'s str,
}

impl UnpackHooks for UnpackReporter<'_> {
    fn wants(&mut self, path: &Path) -> bool {
        self.saving.wants(path)
    }

    fn written(&mut self, bytes: u64) {
        self.saving.watch.unpacked(bytes);
    }

    fn digests(&self) -> bool {
        self.saving.watch.digests()
    }

    fn file(&mut self, path: &Path, size: u64, sha256: Option<[u8; 32]>) -> io::Result<()> {
        self.saving.watch.file_saved(self.what, path, size, sha256)
    }
}
