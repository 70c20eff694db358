//! Archives that mean well, and archives that do not.

mod bombs;
mod gzipped;
mod headers;
mod kinds;
mod links;
mod made;
mod names;
mod others;
mod pax;
mod shown;
mod sparse;

use std::os::unix::fs::{MetadataExt, symlink};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::tests::{TestResult, output};

/// A tar.gz made entry by entry from raw headers: nothing is checked on the way in.
#[derive(Default)]
struct Raw {
    tar: Vec<u8>,
}

impl Raw {
    fn entry(mut self, kind: EntryType, name: &str, link: &str, data: &[u8]) -> Self {
        self.push(header(kind, name, link, data.len() as u64).as_bytes(), data);
        self
    }

    fn file(self, name: &str, data: &[u8]) -> Self {
        self.entry(EntryType::Regular, name, "", data)
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, name, target, b"")
    }

    fn push(&mut self, header: &[u8], data: &[u8]) {
        self.tar.extend_from_slice(header);
        self.tar.extend_from_slice(data);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
    }

    fn gz(mut self) -> io::Result<Vec<u8>> {
        self.tar.extend_from_slice(&[0; 1024]);
        gzip(&self.tar)
    }
}

fn header(kind: EntryType, name: &str, link: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o6755);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header.set_cksum();
    header
}

fn gzip(data: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data)?;
    encoder.finish()
}

/// A folder `into` to unpack in, and a folder `outside` beside it that must stay as it is.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("outside"))?;
        fs::write(folder.path().join("outside/file"), "safe")?;
        Ok(Self { folder })
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("into")
    }

    fn unpack(&self, archive: &[u8]) -> Result<Unpacked, UnpackError> {
        let limits = UnpackLimits { bytes: 6 << 20, entries: 1000, packed_from: None };
        unpack(io::Cursor::new(archive.to_vec()), &self.root(), &limits, &mut ())
    }

    fn is_untouched_outside(&self) -> io::Result<bool> {
        let names: Result<Vec<_>, _> =
            fs::read_dir(self.folder.path())?.map(|entry| entry.map(|it| it.file_name())).collect();
        let beside = names?.into_iter().all(|name| name == "into" || name == "outside");
        let within = fs::read_dir(self.folder.path().join("outside"))?.count() == 1;
        Ok(beside && within && fs::read_to_string(self.folder.path().join("outside/file"))? == "safe")
    }
}

/// Unpacks something hostile: it must fail, and nothing outside may change.
fn refused(archive: Raw) -> Result<UnpackError, Box<dyn std::error::Error>> {
    let place = Place::new()?;
    let error = place.unpack(&archive.gz()?).err().ok_or("it was unpacked")?;
    assert!(place.is_untouched_outside()?, "{error}");
    Ok(error)
}

#[test]
fn files_folders_and_links_are_unpacked() -> TestResult {
    let archive = Raw::default()
        .entry(EntryType::Directory, "./a/", "", b"")
        .file("./a/x.txt", b"content")
        .link("a/link", "x.txt")
        .link("up", "a/link")
        .entry(EntryType::Link, "hard", "a/x.txt", b"")
        .file("made/on/the/way", b"");
    let place = Place::new()?;
    assert_eq!(place.unpack(&archive.gz()?)?, Unpacked { files: 2, bytes: 7, ..Unpacked::default() });
    assert_eq!(fs::read_to_string(place.root().join("up"))?, "content");
    assert_eq!(fs::read_to_string(place.root().join("hard"))?, "content");
    let file = fs::metadata(place.root().join("a/x.txt"))?;
    assert_eq!((file.mode() & 0o7777, file.mtime()), (0o755, 1_700_000_000));
    assert_eq!(fs::metadata(place.root().join("a"))?.mtime(), 1_700_000_000);
    Ok(())
}

#[test]
fn a_later_entry_replaces_an_earlier_one() -> TestResult {
    let archive = Raw::default().file("a", b"one").file("a", b"two").link("b", "a").file("b", b"three");
    let place = Place::new()?;
    place.unpack(&archive.gz()?)?;
    assert_eq!(fs::read_to_string(place.root().join("a"))?, "two");
    assert_eq!(fs::read_to_string(place.root().join("b"))?, "three");
    Ok(())
}

#[test]
fn names_that_lead_out_are_refused() -> TestResult {
    for name in ["../outside/file", "/tmp/smtrain-must-not-exist", "a/../../outside/file", "..", "a/.."] {
        assert!(matches!(refused(Raw::default().file(name, b"bad"))?, UnpackError::Outside(_)), "{name}");
    }
    Ok(())
}

#[test]
fn hard_links_lead_to_files_inside_only() -> TestResult {
    for target in ["../outside/file", "/etc/hostname", "a/../../outside/file"] {
        let error = refused(Raw::default().entry(EntryType::Link, "h", target, b""))?;
        assert!(matches!(error, UnpackError::LinkOutside { .. }), "{target}: {error}");
    }
    // The link is right where it is, and would lead out one folder higher.
    let moved = Raw::default().link("a/l", "../outside").entry(EntryType::Link, "h", "a/l", b"");
    assert!(matches!(refused(moved)?, UnpackError::ThroughLink(_)));
    Ok(())
}

#[test]
fn devices_and_fifos_are_refused() -> TestResult {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::new(b'V')] {
        assert!(matches!(refused(Raw::default().entry(kind, "x", "", b""))?, UnpackError::Unsupported { .. }));
    }
    Ok(())
}

#[test]
fn a_folder_is_not_replaced_by_a_file_or_a_link() -> TestResult {
    for archive in [
        Raw::default().file("a/x", b"").file("a", b"bad"),
        Raw::default().file("a/x", b"").link("a", "b"),
        Raw::default().file("a", b"").file("a/x", b"bad"),
    ] {
        assert!(matches!(refused(archive)?, UnpackError::ThroughLink(_)));
    }
    Ok(())
}

#[test]
fn an_archive_cut_short_anywhere_is_an_error() -> TestResult {
    let noise: Vec<u8> = (0_u32..1000).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    let archive = Raw::default().file("a", b"x").file("model.bin", &noise).gz()?;
    let mut places = Vec::new();
    for length in 0..archive.len() {
        match Place::new()?.unpack(&archive[..length]) {
            Err(UnpackError::Damaged { place, .. }) => places.push(place),
            other => return Err(format!("{length} bytes: {other:?}").into()),
        }
    }
    places.dedup();
    for place in ["at its start", "in model.bin", "at its end"] {
        assert!(places.iter().any(|found| found == place), "{places:?}");
    }
    Ok(())
}

#[test]
fn a_flipped_bit_in_the_checksum_is_an_error() -> TestResult {
    let mut archive = Raw::default().file("a", b"x").gz()?;
    let at = archive.len() - 6;
    archive[at] ^= 1;
    assert!(matches!(Place::new()?.unpack(&archive), Err(UnpackError::Damaged { place, .. }) if place == "at its end"));
    Ok(())
}

#[test]
fn a_tar_shorter_than_its_header_says_is_an_error_even_in_good_gzip() -> TestResult {
    let mut tar = header(EntryType::Regular, "model.bin", "", 5000).as_bytes().to_vec();
    tar.extend_from_slice(&[7; 1000]);
    let error = Place::new()?.unpack(&gzip(&tar)?);
    assert!(matches!(error, Err(UnpackError::Damaged { place, .. }) if place == "in model.bin"));
    Ok(())
}

#[test]
fn what_follows_the_archive_is_noticed() -> TestResult {
    let mut behind_gzip = Raw::default().file("a", b"x").gz()?;
    behind_gzip.extend_from_slice(b"garbage");
    assert!(matches!(Place::new()?.unpack(&behind_gzip), Err(UnpackError::TrailingData)));
    let mut behind_tar = Raw::default().file("a", b"x");
    behind_tar.tar.extend_from_slice(&[0; 1024]);
    behind_tar.tar.extend_from_slice(b"garbage");
    assert!(matches!(Place::new()?.unpack(&behind_tar.gz()?), Err(UnpackError::TrailingData)));
    Ok(())
}

#[test]
fn what_is_no_archive_is_an_error() -> TestResult {
    for other in [&b""[..], b"hello", &gzip(b"not a tar archive")?, &gzip(&[b'x'; 2000])?] {
        assert!(matches!(Place::new()?.unpack(other), Err(UnpackError::Damaged { .. })), "{other:?}");
    }
    Ok(())
}

#[test]
fn several_gzip_members_are_one_archive() -> TestResult {
    let mut tar = Raw::default().file("a", &[1; 700]).file("b", &[2; 700]).tar;
    tar.extend_from_slice(&[0; 1024]);
    let members: Result<Vec<_>, _> = tar.chunks(333).map(gzip).collect();
    let place = Place::new()?;
    assert_eq!(place.unpack(&members?.concat())?, Unpacked { files: 2, bytes: 1400, ..Unpacked::default() });
    Ok(())
}

#[test]
fn bombs_end_at_the_limit() -> TestResult {
    let zeros =
        gzip(&[header(EntryType::Regular, "zeros", "", 7 << 20).as_bytes().to_vec(), vec![0; 7 << 20]].concat())?;
    assert!(matches!(Place::new()?.unpack(&zeros), Err(UnpackError::TooLarge(_))));
    let many = (0..1001).fold(Raw::default(), |raw, number| raw.file(&number.to_string(), b"")).gz()?;
    assert!(matches!(Place::new()?.unpack(&many), Err(UnpackError::TooMany(1000))));
    let long_name = Raw::default().entry(EntryType::GNULongName, "././@LongLink", "", &vec![b'a'; 5 << 20]);
    assert!(matches!(Place::new()?.unpack(&long_name.gz()?), Err(UnpackError::Damaged { .. })));
    Ok(())
}

#[test]
fn what_python_packs_is_unpacked() -> TestResult {
    let place = Place::new()?;
    let path = place.folder.path().join("outside/python.tar.gz");
    let script = "import io, sys, tarfile\n\
        with tarfile.open(sys.argv[1], 'w:gz', pax_headers={'comment': 'global'}) as t:\n\
        \x20for name in ['plain', 'ünï/' + 'long' * 60]:\n\
        \x20\x20m = tarfile.TarInfo(name); m.size = 4; m.mtime = 1700000000.5\n\
        \x20\x20t.addfile(m, io.BytesIO(b'data'))\n";
    let python = output(std::process::Command::new("python3").args(["-X", "utf8", "-c", script]).arg(&path))?;
    assert!(python.status.success(), "{python:?}");
    assert_eq!(place.unpack(&fs::read(path)?)?, Unpacked { files: 2, bytes: 8, ..Unpacked::default() });
    assert_eq!(fs::read_to_string(place.root().join("ünï").join("long".repeat(60)))?, "data");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000), as_tar in any::<bool>()) {
        let place = Place::new()?;
        let archive = if as_tar { gzip(&bytes)? } else { bytes };
        let _ = place.unpack(&archive);
        prop_assert!(place.is_untouched_outside()?);
    }

    /// A good archive with a bit changed in the tar or in the gzip around it.
    #[test]
    fn a_flipped_bit_does_no_harm(at in any::<prop::sample::Index>(), bit in 0..8, in_tar in any::<bool>()) {
        let place = Place::new()?;
        let raw = Raw::default().file("a/b.txt", b"content").link("l", "a/b.txt").entry(EntryType::Link, "h", "a/b.txt", b"");
        let mut bytes = if in_tar { raw.tar } else { raw.gz()? };
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let _ = place.unpack(&if in_tar { gzip(&bytes)? } else { bytes });
        prop_assert!(place.is_untouched_outside()?);
    }

    /// Headers of every kind, with names and targets that try to get out.
    #[test]
    fn random_entries_do_no_harm(entries in prop::collection::vec((any::<u8>(), "[a-c./]{0,12}", "[a-c./]{0,12}"), 0..12)) {
        let place = Place::new()?;
        let kinds = b"012235";
        let archive = entries.iter().fold(Raw::default(), |raw, (kind, name, target)| {
            let kind = EntryType::new(kinds[usize::from(*kind) % kinds.len()]);
            let target = target.replace('c', "../outside");
            raw.entry(kind, &name.replace('c', "../outside"), &target[..target.len().min(100)], b"")
        });
        let _ = place.unpack(&archive.gz()?);
        prop_assert!(place.is_untouched_outside()?);
        prop_assert!(no_link_leads_out(&place.root())?);
    }
}

fn no_link_leads_out(root: &Path) -> io::Result<bool> {
    let mut folders = vec![fs::canonicalize(root)?];
    let root = folders[0].clone();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if fs::canonicalize(entry.path()).is_ok_and(|real| !real.starts_with(&root)) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
