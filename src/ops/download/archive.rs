//! One archive: fetched, checked and unpacked at the same time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream;

use super::artifacts::Artifact;
use super::byte_ranges::ByteRanges;
use super::failure::{
    AsStored, BY_CHECKSUM, BY_OBJECT, BY_SECOND_FETCH, Digest, Failure, Fetched, Proof, UNPROVEN_BY, could_not,
    is_mismatch, is_unsound, of_error, of_proof, with_causes,
};
use super::fetch::{Item, To, fetch};
use super::journal::Journal;
use super::spool::{Closing, Spool, SpoolReader};
use super::staging::{ARCHIVE, FILES, StagingDir, Target};
use super::verify::Checked;
use super::{SaveOptions, Watch, free_space};
use crate::archive::{self, UnpackLimits, UnpackError, Unpacked, UnpackHooks};
use crate::cloud::{ByteProgress, Cloud, Object};
use crate::error::{Result, WithContext};
use crate::model::checksum::ChecksumMismatch;
use crate::model::sha256;
use crate::ops::blocking;

/// An object's bytes, in order, on a blocking thread.
pub(super) type Bytes = Checked<SpoolReader>;

/// What is made of an object's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    /// The files that an archive holds.
    Tree,
    /// The archive, as it is.
    Archive,
    /// Any other file.
    File,
}

/// Leaves what is made of an object at a path. None, and nothing there, where no file of it is wanted.
pub(super) async fn save(
    cloud: &Cloud,
    object: Object,
    artifact: &Artifact,
    saving: &SaveOptions,
    making: OutputKind,
    path: PathBuf,
) -> Result<Option<Unpacked>> {
    let target = Target::new(path, saving);
    let target = if making == OutputKind::Archive { target.or_unpacked(&artifact.name) } else { target };
    let partial = blocking(move || StagingDir::open(&target)).await?;
    let maker = Arc::new(Maker { partial, object, artifact: artifact.clone(), saving: saving.clone(), making });
    let (is_resumed, mut made) = maker.clone().make(cloud, None).await?;
    if let Some((note, before)) = doubt(is_resumed, &made) {
        saving.watch.note(note);
        maker.partial.clear()?;
        made = maker.clone().make(cloud, before).await?.1;
    }
    maker.end(made)
}

type Made = std::result::Result<Unpacked, Failure>;

struct Maker {
    partial: StagingDir,
    object: Object,
    artifact: Artifact,
    saving: SaveOptions,
    making: OutputKind,
}

impl Maker {
    /// Returns whether some of it had been fetched before, and what came of it. `before` is the digest of an earlier fetch.
    async fn make(self: Arc<Self>, cloud: &Cloud, before: Option<Digest>) -> Result<(bool, Made)> {
        let maker = self.clone();
        let Prepared { spool, journal, there, limits } = blocking(move || maker.prepare()).await?;
        let kept_in = journal.is_some().then(|| self.partial.path());
        self.saving.watch.begins(&self.artifact.what, self.object.size, there, kept_in);
        let is_resumed = there > 0 && self.object.file.is_none();
        let judging = Judging { spool: spool.clone(), is_resumed, before };
        let maker = self.clone();
        let work = async move {
            let worked = tokio::task::spawn_blocking(move || maker.make_of(&judging, &limits)).await;
            worked.context(|| "finish the work".to_owned())?
        };
        let made = while_fetching(cloud, &self.object, spool, journal, &on_bytes(&self.saving.watch), work).await;
        Ok((is_resumed, made))
    }

    fn prepare(&self) -> Result<Prepared> {
        self.partial.clear_files()?;
        let object = &self.object;
        if let (Some(file), OutputKind::Tree) = (&object.file, &self.making) {
            let limits = self.limits(0)?;
            let spool = Arc::new(Spool::kept(file.clone(), object.size, whole(object.size)));
            return Ok(Prepared { spool, journal: None, there: object.size, limits });
        }
        let doing = || format!("write what is fetched to {}", self.partial.path().display());
        let (journal, known) = Journal::begin(self.partial.handle(), std::iter::once(object)).context(doing)?;
        let file = self.partial.open_archive()?;
        let mut there = known.into_iter().next().unwrap_or_default();
        let length = file.metadata().context(doing)?.len();
        if there.iter().any(|range| range.end > length) {
            there = ByteRanges::default();
        }
        let limits = self.limits(object.size - there.total())?;
        let (total, spool) = (there.total(), Spool::kept(Arc::new(file), object.size, there));
        Ok(Prepared { spool: Arc::new(spool), journal: Some(Arc::new(journal)), there: total, limits })
    }

    /// To how much the archive may unpack, so many bytes being still to be fetched.
    fn limits(&self, to_fetch: u64) -> Result<UnpackLimits> {
        let free = free_space::free(self.partial.handle(), self.partial.path())?;
        free_space::check(free.bytes, to_fetch, &self.object.uri)?;
        let room = || free_space::usable(free.bytes).saturating_sub(to_fetch);
        let limits = UnpackLimits { packed_from: self.artifact.packed_from, ..UnpackLimits::default() };
        let entries = free.entries.map_or(limits.entries, |entries| limits.entries.min(entries));
        Ok(UnpackLimits { bytes: self.saving.max_size.unwrap_or_else(room), entries, ..limits })
    }

    fn make_of(&self, judging: &Judging, limits: &UnpackLimits) -> Made {
        let bytes = Checked::new(judging.reader(), self.object.checksum.clone());
        match self.making {
            OutputKind::Tree => {
                let files = self.partial.open_files()?;
                let path = self.partial.path().join(FILES);
                let mut told = Told { saving: &self.saving, what: &self.artifact.what };
                let unpacked = archive::unpack_in(bytes, files, &path, limits, &mut told);
                unpacked.map_err(|error| self.failure("unpack", error, judging))
            }
            OutputKind::Archive => match archive::check(bytes) {
                Ok(()) => Ok(self.one_file()),
                Err(error) => self.keep_unsound(error, judging),
            },
            OutputKind::File => {
                let read = io::copy(&mut { bytes }, &mut io::sink());
                let read = read.map_err(|error| of_error("fetch", &self.object, UnpackError::DamagedFile(error)));
                read.map(|_| self.one_file())
            }
        }
    }

    /// Keeps an archive that is no sound one, and says what is wrong in it, where it is what is stored.
    fn keep_unsound(&self, error: UnpackError, judging: &Judging) -> Made {
        if is_mismatch(&error) {
            return Err(of_error("fetch", &self.object, error));
        }
        match self.prove(judging) {
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

    /// Returns the failure of an archive's error. Where its bytes may be others than those that are stored, all of them are
    /// fetched to find out.
    fn failure(&self, doing: &str, error: UnpackError, judging: &Judging) -> Failure {
        let is_doubtful = is_unsound(&error) || (error.is_malformed() && judging.is_resumed);
        if !is_doubtful || is_mismatch(&error) {
            return of_error(doing, &self.object, error);
        }
        match self.prove(judging) {
            Ok(proof) => of_proof(doing, &self.object, error, proof),
            Err(_) => of_error(doing, &self.object, error),
        }
    }

    /// Holds what was fetched against what is stored, by S3's checksum. Where S3 keeps none, only a second fetch tells: the
    /// first one's digest is what it is held against.
    fn prove(&self, judging: &Judging) -> io::Result<Proof> {
        if let Some(checksum) = &self.object.checksum {
            let mut bytes = Checked::new(judging.reader(), Some(checksum.clone()));
            return match io::copy(&mut bytes, &mut io::sink()) {
                Ok(_) => Ok(Proof::Same(BY_CHECKSUM)),
                Err(error) if ChecksumMismatch::is(&error) => Ok(Proof::Other(ChecksumMismatch.to_string())),
                Err(error) => Err(error),
            };
        }
        match (&self.object.file, self.making) {
            (Some(_), OutputKind::Tree) => return Ok(Proof::Same(BY_OBJECT)),
            (Some(file), _) => {
                let stored = Spool::kept(file.clone(), self.object.size, whole(self.object.size));
                let stored = sha256(&mut SpoolReader::new(Arc::new(stored)), |_| {})?;
                return Ok(judging.digest()?.compared(stored, BY_OBJECT));
            }
            (None, OutputKind::Tree) if !judging.is_resumed && judging.before.is_none() => {
                return Ok(Proof::Missing(None));
            }
            (None, _) => {}
        }
        let digest = judging.digest()?;
        Ok(judging.before.map_or(Proof::Missing(Some(digest.0)), |before| digest.compared(before, BY_SECOND_FETCH)))
    }

    /// Of what `--only` names.
    fn holds_nothing(&self) -> Result<bool> {
        if self.making != OutputKind::Tree || self.saving.only.is_none() {
            return Ok(false);
        }
        let entries = self.partial.open_files()?.entries(1);
        Ok(entries.context(|| format!("list what was unpacked to {}", self.partial.path().display()))?.is_empty())
    }

    fn one_file(&self) -> Unpacked {
        Unpacked { files: 1, bytes: self.object.size, ..Unpacked::default() }
    }

    fn end(&self, made: Made) -> Result<Option<Unpacked>> {
        match made {
            Ok(Unpacked { left_out, .. }) if left_out.is_empty() && self.holds_nothing()? => {
                self.partial.clear()?;
                Ok(None)
            }
            Ok(unpacked) => {
                let is_tree = self.making == OutputKind::Tree;
                self.partial.finish(if is_tree { FILES } else { ARCHIVE })?;
                Ok(Some(unpacked))
            }
            Err(Failure { error, fetched }) => Err(match fetched {
                Fetched::Sound => self.partial.hint(*error),
                Fetched::Refused(how) => self.partial.hint_at(*error, how),
                Fetched::Unproven(_) => self.partial.hint_at(*error, UNPROVEN_BY),
                Fetched::Wrong => {
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

/// The bytes that an object's errors are about.
struct Judging {
    spool: Arc<Spool>,
    /// Some of them were fetched by an earlier download.
    is_resumed: bool,
    /// The digest of an earlier fetch of all of them.
    before: Option<Digest>,
}

impl Judging {
    /// Returns them from their start on. They may still be on their way.
    fn reader(&self) -> SpoolReader {
        SpoolReader::new(self.spool.clone())
    }

    fn digest(&self) -> io::Result<Digested> {
        Ok(Digested(sha256(&mut self.reader(), |_| {})?))
    }
}

struct Digested(Digest);

impl Digested {
    fn compared(self, other: Digest, evidence: &'static str) -> Proof {
        if self.0 == other {
            Proof::Same(evidence)
        } else {
            Proof::Other("two reads of it gave different bytes".to_owned())
        }
    }
}

/// Returns why all of it is to be fetched again, with the digest of what was fetched: because what an earlier download
/// left may be what is wrong, or because nothing but a second fetch proves what is stored.
fn doubt(is_resumed: bool, made: &Made) -> Option<(&'static str, Option<Digest>)> {
    match made.as_ref().err()?.fetched {
        Fetched::Wrong if is_resumed => Some((DAMAGED_EARLIER, None)),
        Fetched::Unproven(Some(digest)) => Some((COMPARED, Some(digest))),
        _ => None,
    }
}

struct Prepared {
    spool: Arc<Spool>,
    journal: Option<Arc<Journal>>,
    /// Bytes that need not be fetched.
    there: u64,
    /// To how much it may unpack.
    limits: UnpackLimits,
}

fn whole(size: u64) -> ByteRanges {
    let mut extents = ByteRanges::default();
    extents.add(0..size);
    extents
}

pub(super) fn on_bytes(watch: &Arc<dyn Watch>) -> ByteProgress {
    let watch = watch.clone();
    Arc::new(move |bytes| watch.fetched(bytes))
}

/// Reads an object's bytes without keeping them.
pub(super) async fn read<T: Send + 'static>(
    cloud: &Cloud,
    object: &Object,
    watch: &Arc<dyn Watch>,
    work: impl FnOnce(Bytes) -> std::result::Result<T, UnpackError> + Send + 'static,
) -> Result<T> {
    let spool = match &object.file {
        Some(file) => Spool::kept(file.clone(), object.size, whole(object.size)),
        None => Spool::passing(object.size).context(|| "create a temporary file".to_owned())?,
    };
    let spool = Arc::new(spool);
    let reader = Checked::new(SpoolReader::new(spool.clone()), object.checksum.clone());
    watch.begins("reading", object.size, 0, None);
    let (of, shared) = (object.clone(), spool.clone());
    let work = async move {
        let worked = tokio::task::spawn_blocking(move || work(reader).map_err(|error| could_not("read", &of, error)));
        Ok::<T, Failure>(worked.await.context(|| "finish the work".to_owned())??)
    };
    let read = while_fetching(cloud, object, shared, None, &on_bytes(watch), work).await;
    read.map_err(|failure| *failure.error)
}

/// Works on the bytes while they come. Whichever ends first with an error ends the other; where the work needs no more
/// bytes, none are fetched.
async fn while_fetching<T>(
    cloud: &Cloud,
    object: &Object,
    spool: Arc<Spool>,
    journal: Option<Arc<Journal>>,
    on_bytes: &ByteProgress,
    work: impl Future<Output = std::result::Result<T, Failure>>,
) -> std::result::Result<T, Failure> {
    let missing = spool.missing();
    let closing = Closing(spool.clone());
    let item = Item { object: Arc::new(object.clone()), number: 0, missing, to: To::Spool(spool) };
    let fetching = fetch(&*cloud.objects, stream::iter([Ok(item)]), journal, on_bytes);
    tokio::pin!(work);
    tokio::select! {
        biased;
        worked = &mut work => worked,
        fetched = fetching => match fetched {
            Ok(()) => work.await,
            Err(error) => {
                drop(closing);
                // It fails for want of bytes: that is not why.
                let _for_want_of_bytes = work.await;
                Err(error.into())
            }
        },
    }
}

/// Who is told of what is unpacked.
struct Told<'s> {
    saving: &'s SaveOptions,
    what: &'s str,
}

impl UnpackHooks for Told<'_> {
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
        self.saving.watch.file(self.what, path, size, sha256)
    }
}
